"""What weighing works on: a unit's documents, split by split, with all that is known of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pipelines.score.score_unit import choose_documents, name_part
from pipelines.score.statistics import read_statistics
from pipelines.settings import WeighSettings
from pipelines.weigh.calibrate import Calibration
from weighting.arrays import Bools, Float64s, Int64s, Uint8s
from weighting.contracts.reasons import Reason
from weighting.contracts.sidecar import Sidecar, read_sidecar
from weighting.contracts.splits import SPLITS, TRAIN
from weighting.policies.golden import choose_golden, list_golden_signals
from weighting.policies.registry import list_signals
from weighting.policies.selection import (
    GOLDEN,
    Borders,
    Selection,
    choose,
    measure_density,
)
from weighting.policies.weighing import Batch, Scheme, flag_tokens
from weighting.signals.registry import SIGNALS, Signals, list_stored
from weighting.signals.token_types import cut_deciles
from weighting.vocabulary import read_vocabulary

TRAJECTORY = ("change", "nll")  # the signals from which trajectories follow
NONE_GOLDEN = np.zeros(0, np.bool_)  # where the selection goes by something else


@dataclass(frozen=True, eq=False)
class WeighInputs:
    """What every step of a weighing knows; the same in all processes."""

    scheme: Scheme
    selection: Selection | None
    stored: list[str]  # the signals in the sidecars
    sidecars: Path

    @property
    def has_trajectory(self) -> bool:
        """Whether it is known what the losses of tokens did over the reference's training."""
        return set(TRAJECTORY) <= set(self.stored)

    @cached_property
    def deciles_V(self) -> Int64s:
        """The frequency decile of each type in the train split, from 1; 0 where it is not in it."""
        return cut_deciles(self.scheme.types.counts_V)

    @cached_property
    def columns(self) -> list[str]:
        """The columns of the sidecars that are read."""
        scheme = self.scheme
        names = {*list_signals(scheme.policy, scheme.params), *list_golden_signals(scheme.golden)}
        names |= set(TRAJECTORY) if self.has_trajectory else set()
        names |= {self.selection.by} if self.selection else set()
        return ["copies", "contaminated", *list_stored(names & SIGNALS.keys())]


def load_inputs(settings: WeighSettings, sidecars: Path, run: Path) -> WeighInputs:
    """Return what weighing the sidecars of a run needs to know.

    Raises:
        AssayError: the golden rule needs a signal that the run does not have.
    """
    eos_id = read_vocabulary(run / "tokenizer.json").eos_id
    statistics = read_statistics(run, eos_id)
    scheme = Scheme(
        policy=settings.policy,
        params=settings.params,
        golden=choose_golden(settings.params.golden, statistics.stored),
        types=statistics.types,
        facts=statistics.facts,
        eos_id=eos_id,
    )
    return WeighInputs(
        scheme=scheme,
        selection=settings.selection,
        stored=statistics.stored,
        sidecars=sidecars,
    )


@dataclass(frozen=True, eq=False)
class UnitSplit:
    """The documents that a unit has in one split, and what is known of the whole corpus so far.

    `known_reasons_N` are their reasons, where they were found before some of them were chosen.
    """

    split: str
    sidecar: Sidecar
    inputs: WeighInputs
    known: Calibration
    known_reasons_N: Uint8s | None = None

    @cached_property
    def batch(self) -> Batch:
        """Their tokens."""
        sidecar = self.sidecar
        return Batch(
            doc_ids=sidecar.doc_ids.to_pylist(),
            offsets_D1=sidecar.offsets_D1,
            ids_N=sidecar.ids_N,
            signals=Signals(self.inputs.scheme.types, sidecar.ids_N, sidecar.signals),
            copies_N=sidecar.copies_N,
            contaminated_N=sidecar.contaminated_N,
        )

    @cached_property
    def reasons_N(self) -> Uint8s:
        """The reason bits of every token; sums over a split do without them."""
        if self.known_reasons_N is not None:
            return self.known_reasons_N
        least_gain = self.known.least_gains.get(self.split)
        return flag_tokens(self.batch, self.inputs.scheme, least_gain)

    @property
    def golden_N(self) -> Bools:
        """True at golden tokens."""
        return (self.reasons_N & np.uint8(Reason.GOLDEN)) > 0

    @property
    def lengths_D(self) -> Int64s:
        """The tokens of each document."""
        return np.diff(self.sidecar.offsets_D1)

    def measure_density(self, by: str) -> Float64s:
        """Return how rich each document is in what a selection goes by, float64 [D]."""
        sidecar = self.sidecar
        golden_N = self.golden_N if by == GOLDEN else NONE_GOLDEN
        return measure_density(
            by, golden_N, self.batch.signals, sidecar.offsets_D1, sidecar.special_N
        )

    def choose(self, chosen_D: Bools) -> "UnitSplit":
        """Return some of the documents; what is known of their tokens is not found out again."""
        known_N: Uint8s | None = vars(self).get("reasons_N")
        return UnitSplit(
            split=self.split,
            sidecar=choose_documents(self.sidecar, chosen_D, self.split),
            inputs=self.inputs,
            known=self.known,
            known_reasons_N=None
            if known_N is None
            else known_N[np.repeat(chosen_D, self.lengths_D)],
        )


def read_splits(
    uid: int, inputs: WeighInputs, known: Calibration, selected: bool = True
) -> Iterator[UnitSplit]:
    """Yield what a unit has in each split, where it has anything: all of it, or what is selected.

    A split of which the selection leaves no document is yielded empty.
    """
    for split in SPLITS:
        path = inputs.sidecars / f"{name_part(split, uid)}.parquet"
        if path.exists():
            found = UnitSplit(split, read_sidecar(path, inputs.columns), inputs, known)
            if selected and split == TRAIN and inputs.selection and known.borders is not None:
                found = found.choose(_select(found, inputs.selection, known.borders))
            yield found


def _select(found: UnitSplit, selection: Selection, borders: Borders) -> Bools:
    keys_D = found.batch.key_documents(selection.seed)
    return choose(found.measure_density(selection.by), keys_D, borders)
