"""What an ablation trains: OUT/plan.json, written before anything starts.

A table is made of runs that are the planned ones, and of no others: each run's recorded config and
data are held against `PlannedArm.identify`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from trainer.config.flat import FlatConfig, list_names
from trainer.data.corpus import DataFingerprint
from trainer.run.identity import RunIdentity
from weighting.errors import BrokenContract
from weighting.knobs import RESULT
from weighting.storage.json_records import read_record

PLAN = "plan.json"


@dataclass(frozen=True, kw_only=True)
class PlannedArm:
    """One arm. The seed of its identity, which is whole and resolved, stands for each run's own."""

    name: str
    colour: int  # its number in pictures: it keeps it, whatever arms are added or dropped
    overrides: FlatConfig
    identity: RunIdentity

    @property
    def config(self) -> FlatConfig:
        """The config of its runs, but for their seeds."""
        return self.identity.config

    @property
    def data(self) -> DataFingerprint:
        """What it trains on."""
        return self.identity.data

    def identify(self, seed: int) -> RunIdentity:
        """Return what the run of a seed must be."""
        return replace(self.identity, config={**self.config, "seed": seed})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Arms in the order in which the user gave them, and the seeds of each."""

    baseline: str
    arms: tuple[PlannedArm, ...]
    seeds: tuple[int, ...]
    base: FlatConfig  # what the arms' overrides are of
    other_documents: bool = False  # arms may train on different documents
    validation_documents: int | None = None  # that evaluations see; None where nobody counted

    def list_runs(self) -> Iterator[tuple[PlannedArm, int]]:
        """Yield arm and seed of every run, the arms of a seed next to each other."""
        for seed in self.seeds:
            for arm in self.arms:
                yield arm, seed

    def list_differences(self) -> list[str]:
        """Return the config fields in which arms differ, by name, as far as results follow."""
        names = sorted(list_names(RESULT))
        values = {name: {json.dumps(arm.config.get(name)) for arm in self.arms} for name in names}
        return [name for name in names if len(values[name]) > 1]

    @property
    def sha256(self) -> str:
        """A hash of all that decides the runs: not of where data lie, nor of colours."""
        kept = list_names(RESULT)
        arms = [
            {
                **asdict(arm.identity),
                "name": arm.name,
                "config": {name: value for name, value in arm.config.items() if name in kept},
            }
            for arm in self.arms
        ]
        content = [self.baseline, self.seeds, self.other_documents, arms]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def find_run(out: Path, arm: str, seed: int) -> Path:
    """Return the folder of a run of the ablation in `out`."""
    return out / arm / f"seed-{seed}"


def find_plan(out: Path) -> Plan | None:
    """Return the plan of the ablation in a folder, None where no ablation has begun.

    Raises:
        BrokenContract: the file holds something else.
    """
    path = out / PLAN
    try:
        return read_record(Plan, path) if path.exists() else None
    except BrokenContract as error:
        hint = "remove it and run the same `trainer ablate` again, finished runs are not repeated"
        raise BrokenContract(f"{error}; {hint}") from None
