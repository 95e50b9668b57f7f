"""Weighing by number of units: what a unit costs must not depend on how many there are.

python -m benchmarks.speed.weigh_units [UNITS...]    numbers of units; default 200 2000 20000

Units are of a few hundred tokens, so that what a step does beside its unit would show. A selection
by golden tokens and policy `top_k` take all steps that the weigh job has. SAMPLE units, spread over
all, go through each step in this process: each gets what it gets in the job, packed
(`pipelines.engine`), and writes its shards. The steps that run once take what all units gave, and
are shared out over these. Last line: what FindScales takes, and so what a unit would pay that found
the scales by itself. CPU time, the median of interleaved rounds: waiting for the disk is left out.
"""

import os
import platform
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.quality.mass import make_counts
from pipelines.engine.codec import VECTOR, decode_vector, packed
from pipelines.engine.unit_steps import OverUnits, SumVectors
from pipelines.score.score_unit import name_part
from pipelines.settings import Job, WeighSettings
from pipelines.weigh.calibrate import (
    Calibration,
    UnitSums,
    find_cuts,
    find_scales,
    find_score_border,
    find_selection,
)
from pipelines.weigh.sum_weights import count_keys, count_ranks, count_scores, sum_unit
from pipelines.weigh.weigh_inputs import WeighInputs
from pipelines.weigh.write_shards import write_unit_shards
from pipelines.work.folder import WorkFolder
from weighting.contracts.sidecar import Sidecar, SidecarInfo, write_sidecar
from weighting.contracts.splits import TRAIN
from weighting.policies.masks import TopParams
from weighting.policies.params import PolicyParams
from weighting.policies.selection import Selection
from weighting.policies.weighing import Scheme
from weighting.signals.quantum import quantise
from weighting.signals.signal import Facts
from weighting.signals.token_types import Types

UNITS = (200, 2_000, 20_000)
SAMPLE = 200  # units that are timed
ROUNDS = 3
VARIANTS = 20  # of sidecars; a unit's is a link to one of them, so all give what these give
DOCUMENTS, LENGTH = 4, 100  # of a unit, and tokens of each
TYPES = 1_000  # of the vocabulary
ONCE = ("FindScoreBorder", "FindBorders", "FindCuts", "FindScales")

Costs = dict[str, float]  # seconds by step


def write_sidecars(folder: Path, units: int, types: Types) -> None:
    """Write the sidecars of the variants, and link each unit's to one of them."""
    rng = np.random.default_rng(0)
    eos_id = TYPES - 1
    for uid in range(units):
        path = folder / f"{name_part(TRAIN, uid)}.parquet"
        if uid >= VARIANTS:
            os.link(folder / f"{name_part(TRAIN, uid % VARIANTS)}.parquet", path)
            continue
        size = DOCUMENTS * LENGTH
        share_V = types.counts_V / types.counts_V.sum()
        ids_N = rng.choice(TYPES, size, p=share_V).astype(np.uint16)
        ids_N[LENGTH - 1 :: LENGTH] = eos_id
        sidecar = Sidecar(
            info=SidecarInfo("0" * 64, TYPES, eos_id, TRAIN, ["ngram_gain"]),
            doc_ids=pa.array([rng.bytes(16).hex() for _ in range(DOCUMENTS)]),
            sources=pa.array(["made up"] * DOCUMENTS),
            offsets_D1=np.arange(0, size + 1, LENGTH),
            ids_N=ids_N,
            starts_N=np.zeros(size, np.int32),
            copies_N=np.ones(size, np.int32),
            contaminated_N=np.zeros(size, np.bool_),
            signals={"ngram_gain": quantise(rng.normal(0.5, 1.5, size))},
        )
        write_sidecar(path, sidecar)


class Plainly:
    """The steps of the job, one unit after the other; `costs` are the seconds a unit of each."""

    def __init__(self, units: int, inputs: WeighInputs) -> None:
        self.units, self.inputs = units, inputs
        self.sample = range(VARIANTS, units, max(1, units // SAMPLE))
        self.costs: Costs = {}

    def run(self, step: str, kernel: Callable[..., Any], *known: bytes) -> list[Any]:
        """Run a kernel on the sample, as the job does; return what the variants give, packed."""
        over = OverUnits(kernel, *(Calibration for _ in known), load=lambda: self.inputs)
        over.setup()
        given = [result for uid in range(VARIANTS) for result in over.process(uid, *known)]
        with self.timing(step, len(self.sample)):
            for uid in self.sample:
                deque(over.process(uid, *known), maxlen=0)
        return given

    def sum(self, step: str, kernel: Callable[..., Any], *known: bytes) -> bytes:
        """Likewise, and return the sum over all units."""
        total = decode_vector(SumVectors().merge_accumulators(self.run(step, kernel, *known)))
        return (total * (self.units // VARIANTS)).tobytes()

    def once(self, step: str, function: Callable[..., Any], *given: Any) -> Any:  # noqa: ANN401
        """Run a step that sees what all units gave."""
        with self.timing(step, self.units):
            return function(*given)

    @contextmanager
    def timing(self, step: str, units: int) -> Iterator[None]:
        """Note how long a step takes, a unit."""
        start = time.process_time()
        yield
        self.costs[step] = (time.process_time() - start) / units


def weigh_plainly(units: int, inputs: WeighInputs, settings: WeighSettings, job: Job) -> Costs:
    """Do what the Beam job does, step by step; return the seconds a unit of each step."""
    plainly, selection = Plainly(units, inputs), settings.selection
    assert selection is not None
    scores = plainly.sum("CountScores", partial(count_scores, selection=selection))
    find_score = packed(partial(find_score_border, selection=selection), VECTOR)
    border = plainly.once("FindScoreBorder", find_score, scores)
    keys = plainly.sum("CountKeys", partial(count_keys, selection=selection), border)
    find_both = packed(partial(find_selection, selection=selection), VECTOR, VECTOR)
    found = plainly.once("FindBorders", find_both, scores, keys)
    ranks = plainly.sum("CountRanks", count_ranks, found)
    find = packed(partial(find_cuts, settings=settings), Calibration, VECTOR)
    found = plainly.once("FindCuts", find, found, ranks)
    sums = plainly.run("SumWeights", sum_unit, found) * (units // VARIANTS)
    find = packed(partial(find_scales, settings=settings), Calibration, UnitSums)
    found = plainly.once("FindScales", find, found, sums)
    plainly.sum("WriteShards", partial(write_unit_shards, job=job), found)
    return plainly.costs


@contextmanager
def preparing(units: int) -> Iterator[Callable[[], Costs]]:
    """Yield what weighs so many units anew, and returns the seconds a unit of each step."""
    counts_V = make_counts(10**8)[:TYPES]
    counts_V[-1] = counts_V.sum() // LENGTH
    types = Types(counts_V, np.minimum(counts_V, counts_V[-1]), int(counts_V[-1]))
    facts = Facts({"surprisal": 7.0, "ngram_gain": 0.5}, types.rare_surprisal)
    params = PolicyParams(own=TopParams(0.3, "ngram_gain"))
    selection = Selection("golden", units * DOCUMENTS * LENGTH // 2)
    settings = WeighSettings("top_k", params, selection)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "signals").mkdir()
        write_sidecars(folder / "signals", units, types)
        scheme = Scheme("top_k", params, "ngram", types, facts, eos_id=TYPES - 1)
        inputs = WeighInputs(scheme, selection, ["ngram_gain"], folder / "signals")

        def weigh() -> Costs:
            shutil.rmtree(folder / "run", ignore_errors=True)
            job = Job(folder / "run", WorkFolder(folder / "run" / "units"))
            return weigh_plainly(units, inputs, settings, job)

        yield weigh


def main() -> None:
    """Print milliseconds a unit by step, for each number of units."""
    numbers = [int(arg) for arg in sys.argv[1:]] or [*UNITS]
    with ExitStack() as stack:
        arms = {units: stack.enter_context(preparing(units)) for units in numbers}
        rounds = [{units: arm() for units, arm in arms.items()} for _ in range(ROUNDS + 1)][1:]
    cost = {
        (units, step): 1000 * median(one[units][step] for one in rounds)
        for units in numbers
        for step in rounds[0][units]
    }
    command = " ".join(["python -m benchmarks.speed.weigh_units", *sys.argv[1:]])
    table = Table(title="weighing, CPU ms a unit", caption=f"{command} on {platform.machine()}")
    table.add_column("step")
    for units in numbers:
        table.add_column(f"{units:,} units", justify="right")
    steps = rounds[0][numbers[0]]
    for step in steps:
        cells = [f"{cost[units, step]:.3f}" for units in numbers]
        table.add_row(f"{step} (once)" if step in ONCE else step, *cells)
    table.add_section()
    each = {units: sum(cost[units, step] for step in steps) for units in numbers}
    table.add_row("all steps", *(f"{each[units]:.3f}" for units in numbers))
    table.add_row(
        "against the first", *(f"{each[units] / each[numbers[0]]:.2f}" for units in numbers)
    )
    whole = [f"{cost[units, 'FindScales'] * units:.1f}" for units in numbers]
    table.add_row("FindScales in every unit", *whole)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
