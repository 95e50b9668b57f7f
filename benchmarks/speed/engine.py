"""The curate job on Beam against the same kernels in a plain process pool.

python -m benchmarks.speed.engine [CORPUS]    CORPUS as for `assay curate`; default python-docs:10

The rules are those of `benchmarks.speed.clean`, with Unicode repair. Copies and repeated passages
are found.
"""

import multiprocessing
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.interleave import interleave, print_times
from pipelines.curate.clean import clean_unit
from pipelines.curate.cluster import cluster_links, link_range
from pipelines.curate.estimate import estimate
from pipelines.curate.find_passages import count_pieces, list_pieces
from pipelines.curate.job import curate
from pipelines.curate.write_documents import write_unit_documents
from pipelines.engine.logs import quiet_beam
from pipelines.engine.runner import Engine
from pipelines.rules.registry import FAMILIES
from pipelines.rules.rule import list_bounds
from pipelines.settings import CurateSettings, EditSettings, Job, RuleSettings
from pipelines.work.folder import WorkFolder
from pipelines.work.units import Unit, plan

ROUNDS = 3
WORKERS = 2
MANY_UNITS = 32  # fewer are cut finer, as `assay curate` does
NAMES = ("gopher_repetition", "gopher_quality", "c4", "fineweb_quality")
SETTINGS = CurateSettings(
    edit=EditSettings(line_rules=True),
    rules=RuleSettings(families=NAMES, terminal_punctuation=False),
    bounds={
        rule: bounds for name in NAMES for rule, bounds in list_bounds(FAMILIES[name].rules).items()
    },
)


def curate_plainly(units: list[Unit], job: Job) -> None:
    """Do what the Beam job does, in a pool, step by step."""
    expected, uids = estimate(units, SETTINGS), [unit.uid for unit in units]
    keys, hashes = expected.ranges, expected.piece_ranges
    common = (uids, SETTINGS, job)
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        pool.starmap(clean_unit, [(unit, SETTINGS, job) for unit in units], chunksize=1)
        pool.starmap(link_range, [(number, keys, *common) for number in range(keys)], chunksize=1)
        cluster_links(keys, *common)
        pool.starmap(list_pieces, [(uid, SETTINGS, job) for uid in uids], chunksize=1)
        pool.starmap(count_pieces, [(at, hashes, *common) for at in range(hashes)], chunksize=1)
        pool.starmap(write_unit_documents, [(uid, SETTINGS, job) for uid in uids], chunksize=1)


def main() -> None:
    """Time both and compare the documents they keep."""
    quiet_beam()
    corpus = sys.argv[1] if len(sys.argv) > 1 else "python-docs:10"
    units = plan([corpus]).units
    if len(units) < MANY_UNITS:
        units = plan([corpus], 2**20).units
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def fresh(arm: str) -> Job:
            shutil.rmtree(folder / arm, ignore_errors=True)
            return Job(folder / arm, WorkFolder(folder / arm / "units"))

        arms = {
            "process pool": lambda: curate_plainly(units, fresh("pool")),
            "Beam": lambda: curate(units, SETTINGS, fresh("beam"), Engine(WORKERS)),
        }
        times = interleave(arms, ROUNDS)
        same = all(
            (folder / "beam" / "documents" / path.name).read_bytes() == path.read_bytes()
            for path in (folder / "pool" / "documents").iterdir()
        )
    megabytes = sum(piece.size for unit in units for piece in unit.slices) / 1e6
    title = f"curating {megabytes:.0f} MB with {WORKERS} workers; documents equal: {same}"
    print_times(title, times, "process pool", megabytes)


if __name__ == "__main__":
    main()
