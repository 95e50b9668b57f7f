"""What weighing works on: the documents of a unit and split, with their signals and reasons."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipelines.score.score_unit import choose_documents, name_part
from pipelines.score.statistics import Statistics, read_statistics
from pipelines.settings import WeighSettings
from pipelines.tokenize.encoder import Encoder
from weighting.arrays import Bools, Float32s, Float64s, Int64s, Uint8s, Uint64s
from weighting.contracts.reasons import Reason
from weighting.contracts.sidecar import Sidecar, read_sidecar
from weighting.contracts.splits import SPLITS, TRAIN
from weighting.policies.controls import key_documents, key_tokens
from weighting.policies.golden import choose_golden, flag, list_golden_signals
from weighting.policies.registry import list_signals, tabulate_raw
from weighting.policies.selection import Borders, choose, measure_density
from weighting.signals.registry import SIGNALS, Signals, list_stored
from weighting.signals.token_types import cut_deciles

TRAJECTORY = ("change", "nll")


@dataclass(frozen=True)
class Plan:
    """What every step of a weighing knows; the same in all processes."""

    settings: WeighSettings
    statistics: Statistics
    sidecars: Path
    eos_id: int

    @property
    def has_trajectory(self) -> bool:
        """Whether it is known what the losses of tokens did over the reference's training."""
        return set(TRAJECTORY) <= set(self.statistics.stored)

    @cached_property
    def golden(self) -> str:
        """The rule of the golden flag."""
        return choose_golden(self.settings.params.golden, self.statistics.stored)

    @cached_property
    def deciles_V(self) -> Int64s:
        """The frequency decile of each type in the train split, from 1; 0 where it is not in it."""
        return cut_deciles(self.statistics.types.counts_V)

    @cached_property
    def raw_V(self) -> Float32s | None:
        """What the policy gives each type; None where it is one of tokens."""
        settings = self.settings
        return tabulate_raw(settings.policy, self.statistics.types, self.eos_id, settings.params)

    @cached_property
    def columns(self) -> list[str]:
        """The columns of the sidecars that are read."""
        settings = self.settings
        names = {*list_signals(settings.policy, settings.params), *list_golden_signals(self.golden)}
        names |= set(TRAJECTORY) if self.has_trajectory else set()
        names |= {settings.selection.by} if settings.selection else set()
        return ["copies", "contaminated", *list_stored(names & SIGNALS.keys())]


def load_plan(settings: WeighSettings, sidecars: Path, run: Path) -> Plan:
    """Return the plan of a weighing of the sidecars of a run."""
    eos_id = Encoder(run / "tokenizer.json", fast=False).eos_id
    return Plan(settings, read_statistics(run, eos_id), sidecars, eos_id)


class Part(NamedTuple):
    """The documents of a unit and split."""

    split: str
    sidecar: Sidecar
    signals: Signals
    reasons_N: Uint8s

    @property
    def golden_N(self) -> Bools:
        """True at golden tokens."""
        return (self.reasons_N & np.uint8(Reason.GOLDEN)) > 0

    def key_documents(self, seed: int) -> Uint64s:
        """Return a hash of each document, uint64 [D]."""
        return key_documents(self.sidecar.doc_ids.to_pylist(), seed)

    def key_tokens(self, seed: int) -> Uint64s:
        """Return a hash of each token's document and place, uint64 [N]."""
        return key_tokens(self.key_documents(seed), self.sidecar.offsets_D1)


def load_parts(uid: int, plan: Plan, borders: Borders | None = None) -> Iterator[Part]:
    """Yield the parts of a unit that hold documents; with `borders`, only the selected ones."""
    for split in SPLITS:
        path = plan.sidecars / f"{name_part(split, uid)}.parquet"
        if path.exists():
            part = _make_part(split, read_sidecar(path, plan.columns), plan)
            if borders is not None and split == TRAIN:
                part = _make_part(
                    split, choose_documents(part.sidecar, select(part, plan, borders), split), plan
                )
            yield part


def rate_documents(part: Part, plan: Plan) -> Float64s:
    """Return how rich each document is in what the selection asks for, float64 [D]."""
    selection = plan.settings.selection
    assert selection is not None
    sidecar = part.sidecar
    return measure_density(
        selection.by, part.golden_N, part.signals, sidecar.offsets_D1, sidecar.special_N
    )


def select(part: Part, plan: Plan, borders: Borders) -> Bools:
    """Return which documents of a part are selected, bool [D]."""
    selection = plan.settings.selection
    assert selection is not None
    return choose(rate_documents(part, plan), part.key_documents(selection.seed), borders)


def _make_part(split: str, sidecar: Sidecar, plan: Plan) -> Part:
    types = plan.statistics.types
    signals = Signals(types, sidecar.ids_N, sidecar.signals)
    reasons_N = flag(
        signals,
        np.take(types.rare_V, sidecar.ids_N),
        sidecar.special_N,
        sidecar.copies_N,
        sidecar.contaminated_N,
        plan.golden,
        plan.settings.params,
    )
    return Part(split, sidecar, signals, reasons_N)
