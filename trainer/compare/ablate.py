"""Ablations: named arms times seeds, every seed on identical batches, each run a process.

    OUT/ARM/seed-S/     a run, see trainer.run.train; log.txt is what its process said
    OUT/results.json    every run, means, paired differences to the first arm, verdicts
    OUT/curves.png

Running again skips finished runs and resumes the others.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from trainer.compare.compare import check_same_ids, compare
from trainer.compare.curves import draw_curves
from trainer.compare.results import RESULTS, AblationResults
from trainer.config.arms import DEFAULT_ARMS
from trainer.config.flat import FlatConfig, flatten, override
from trainer.config.schema import ResolvedConfig, TrainConfig
from trainer.data.corpus import open_corpus
from trainer.display.progress import Steps
from trainer.machine.process_group import ALONE
from trainer.machine.resources import count_cores, resolve
from trainer.objectives.losses import check_objective
from trainer.run.identity import identify
from trainer.run.metrics import METRICS, read_evaluations, read_last_step, read_metrics
from trainer.run.result import RESULT, RunResult, find_result
from trainer.run.setup import check_corpus, describe_data
from weighting.errors import AssayError
from weighting.processes.children import Command, run_children
from weighting.storage.files import write_json
from weighting.storage.json_records import read_record, write_record

# Arms that differ in one of these would not see identical batches.
SHARED_FIELDS = (
    *("seed", "steps", "batch", "context", "packing"),
    *("eval_tokens", "eval_every", "log_every"),
)
ARM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # it names a folder

Found = TypeVar("Found")


@dataclass(frozen=True)
class AblationConfig:
    """What to compare: overrides of `base` by arm name, the first arm is the baseline."""

    out: Path
    base: TrainConfig
    arms: Mapping[str, FlatConfig] = field(default_factory=lambda: dict(DEFAULT_ARMS))
    seeds: tuple[int, ...] = (0, 1, 2)
    jobs: int = 1  # processes at once, at most one a core
    other_documents: bool = False  # arms may train on different documents

    def __post_init__(self) -> None:
        """Raise AssayError if there is nothing to compare."""
        if not self.arms or not self.seeds or self.jobs < 1:
            raise AssayError("an ablation needs at least one arm, one seed and one job")
        if len(set(self.seeds)) < len(self.seeds):
            raise AssayError(f"seeds {', '.join(map(str, self.seeds))}: one stands twice")
        for name, overrides in self.arms.items():
            if not ARM_NAME.fullmatch(name):
                raise AssayError(f"arm {name!r}: a name is letters, digits, '-', '_' and '.'")
            for shared in sorted({*overrides} & {*SHARED_FIELDS}):
                raise AssayError(f"arm {name}: {shared} must be the same in every arm")


@dataclass(frozen=True)
class Run:
    """One arm at one seed."""

    arm: str
    out: Path
    config: ResolvedConfig


def ablate(config: AblationConfig, progress: Steps | None = None) -> AblationResults:
    """Train what is not finished, compare, and return what results.json holds.

    `progress` is called with the steps done and the steps in all, over all runs.

    Raises:
        AssayError: impossible arms, unusable data, folders that hold other runs, or a failed run.
        Interrupted: a signal came; the running runs were saved.
    """
    runs = plan(config)
    waiting = _find_waiting(runs, config.other_documents)

    def show() -> None:
        if progress is not None:
            done = sum(read_last_step(run.out / METRICS) for run in runs)
            progress(done, config.base.steps * len(runs))

    endings = run_children(
        [_command(run) for run in waiting], min(config.jobs, count_cores()), show
    )
    for ending in endings:
        if ending.failed:
            raise AssayError(str(ending))
    finished = _by_arm(runs, lambda run: read_record(RunResult, run.out / RESULT))
    comparison = compare(finished, config.other_documents)
    results = AblationResults(
        **vars(comparison), base=flatten(config.base), overrides=dict(config.arms)
    )
    training = _by_arm(runs, lambda run: read_metrics(run.out))
    validation = _by_arm(runs, lambda run: read_evaluations(run.out))
    draw_curves(config.out / "curves.png", training, validation)
    write_record(config.out / RESULTS, results)
    return results


def plan(config: AblationConfig) -> list[Run]:
    """Return every run, the arms of a seed next to each other; checks every config."""
    base = config.base
    if config.jobs > 1 and not base.threads:
        base = replace(base, threads=1)
    return [
        Run(
            arm,
            config.out / arm / f"seed-{seed}",
            resolve(override(base, {**overrides, "seed": seed}), ALONE),
        )
        for seed in config.seeds
        for arm, overrides in config.arms.items()
    ]


def _find_waiting(runs: Sequence[Run], other_documents: bool) -> list[Run]:
    """Return the runs that have no result yet; fails before any process starts if one cannot."""
    corpora = {run.config.shards: open_corpus(run.config.shards) for run in runs}
    first, waiting = corpora[runs[0].config.shards], []
    for run in runs:
        corpus = corpora[run.config.shards]
        check_same_ids(run.arm, corpus.fingerprint, first.fingerprint, other_documents)
        check_objective(run.config)
        check_corpus(run.config, corpus)
        identity = identify(run.config, describe_data(run.config, corpus))
        if find_result(identity, run.out) is None:
            waiting.append(run)
    return waiting


def _command(run: Run) -> Command:
    path = run.out / "config.json"
    write_json(path, flatten(run.config))
    arguments = ("trainer", "train", "--config", str(path), "--out", str(run.out))
    return Command(f"arm {run.arm}, seed {run.config.seed}", arguments, run.out / "log.txt")


def _by_arm(runs: Sequence[Run], read: Callable[[Run], Found]) -> dict[str, list[Found]]:
    arms: dict[str, list[Found]] = {}
    for run in runs:
        arms.setdefault(run.arm, []).append(read(run))
    return arms
