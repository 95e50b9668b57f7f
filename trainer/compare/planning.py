"""From what a user asks for to a plan whose every run can begin, or one line that says why not."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import numpy as np

from trainer.compare.compare import check_same_ids
from trainer.compare.curves import PICTURE
from trainer.compare.plan import PLAN, Plan, PlannedArm, find_plan, find_run
from trainer.compare.results import RESULTS
from trainer.config.arms import DEFAULT_ARMS
from trainer.config.flat import FlatConfig, flatten, override
from trainer.config.schema import ResolvedConfig, TrainConfig
from trainer.data.corpus import Corpus, open_corpus
from trainer.data.packing import pack_stream
from trainer.machine.process_group import ALONE
from trainer.machine.resources import resolve
from trainer.objectives.losses import check_objective
from trainer.run.evaluate import choose_windows
from trainer.run.identity import RunIdentity, identify
from trainer.run.initial import pin_init
from trainer.run.setup import check_corpus, describe_data, list_warnings
from trainer.run.stored import adopt
from weighting.errors import AssayError

# Arms that differ in one of these would not see identical batches.
SHARED_FIELDS = (
    *("seed", "steps", "batch", "context", "packing"),
    *("eval_tokens", "eval_every", "log_every"),
)
ARM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # it names a folder
OWN_FILES = {PLAN, RESULTS, PICTURE}


@dataclass(frozen=True)
class AblationConfig:
    """What to compare: overrides of `base` by arm name, in the order of every table."""

    out: Path
    base: TrainConfig
    arms: Mapping[str, FlatConfig] = field(default_factory=lambda: dict(DEFAULT_ARMS))
    seeds: tuple[int, ...] = (0, 1, 2)
    jobs: int = 0  # processes at once; 0 is one a core, on CUDA one
    other_documents: bool = False  # arms may train on different documents
    baseline: str = ""  # the arm that others are held against; the first where none is named

    def __post_init__(self) -> None:
        """Raise AssayError if there is nothing to compare."""
        if not self.arms or not self.seeds:
            raise AssayError("an ablation needs at least one arm and one seed")
        if self.jobs < 0:
            raise AssayError(f"jobs is {self.jobs}, must be ≥ 0 (0 is one a core)")
        if len(set(self.seeds)) < len(self.seeds):
            raise AssayError(f"seeds {', '.join(map(str, self.seeds))}: one stands twice")
        if self.baseline and self.baseline not in self.arms:
            raise AssayError(f"baseline {self.baseline!r}: the arms are {', '.join(self.arms)}")
        _check_names(self.arms)
        for name, overrides in self.arms.items():
            for shared in sorted({*overrides} & {*SHARED_FIELDS}):
                raise AssayError(f"arm {name}: {shared} must be the same in every arm")


@dataclass(frozen=True)
class Run:
    """One arm at one seed."""

    arm: PlannedArm
    seed: int
    out: Path
    config: ResolvedConfig
    warnings: tuple[str, ...]  # that a user should read, and that stop nothing


def make_plan(config: AblationConfig) -> tuple[Plan, list[Run]]:
    """Return the plan and its runs, the arms of a seed next to each other; checks every config.

    Raises:
        AssayError: impossible arms, unusable data, or arms that would not see the same tokens.
    """
    configs = {name: _resolve(config, name) for name in config.arms}
    corpora = _open_corpora(configs)
    first = _check_arms(configs, corpora, config.other_documents)
    colours = _choose_colours(config)
    plan = Plan(
        baseline=config.baseline or next(iter(config.arms)),
        arms=tuple(
            PlannedArm(
                name=name,
                colour=colours[name],
                overrides=config.arms[name],
                identity=_identify(one, corpora[name], _find_runs(config, name)[0]),
            )
            for name, one in configs.items()
        ),
        seeds=config.seeds,
        base=flatten(config.base),
        other_documents=config.other_documents,
        validation_documents=count_documents(first, config.base),
    )
    warnings = {name: list_warnings(one, corpora[name]) for name, one in configs.items()}
    return plan, [
        Run(
            arm=arm,
            seed=seed,
            out=find_run(config.out, arm.name, seed),
            config=replace(configs[arm.name], seed=seed),
            warnings=warnings[arm.name],
        )
        for arm, seed in plan.list_runs()
    ]


def _open_corpora(configs: Mapping[str, ResolvedConfig]) -> dict[str, Corpus]:
    """Return the corpus of each arm, opened once where several have the same."""
    read = {name: (one.shards, one.half) for name, one in configs.items()}
    opened = {key: open_corpus(*key) for key in dict.fromkeys(read.values())}
    return {name: opened[key] for name, key in read.items()}


def _check_arms(
    configs: Mapping[str, ResolvedConfig], corpora: Mapping[str, Corpus], other_documents: bool
) -> Corpus:
    """Return the first arm's corpus; raise AssayError where an arm cannot train beside it."""
    first = corpora[next(iter(configs))]
    for name, one in configs.items():
        corpus = corpora[name]
        check_same_ids(name, corpus.fingerprint, first.fingerprint, other_documents)
        check_objective(one)
        check_corpus(one, corpus)
    return first


def count_documents(corpus: Corpus, config: TrainConfig) -> int:
    """Return how many validation documents have a token that an evaluation scores."""
    packing = pack_stream(corpus.validation, config.model.context)
    rows_W = choose_windows(packing.windows, packing.context, config.eval_tokens)
    starts_W, sizes_W = packing.starts_P[rows_W], packing.sizes_P[rows_W]
    documents_D1 = corpus.validation.documents_D1
    # A window covers documents first to last: one more is open from each first, one less after.
    opened_D1 = np.zeros(len(documents_D1), np.int64)
    np.add.at(opened_D1, np.searchsorted(documents_D1, starts_W, side="right") - 1, 1)
    np.add.at(opened_D1, np.searchsorted(documents_D1, starts_W + sizes_W, side="left"), -1)
    return int(np.count_nonzero(np.cumsum(opened_D1)))


def _check_names(names: Iterable[str]) -> None:
    folders: dict[str, str] = {}  # some file systems take names that differ in case for one
    for name in names:
        if not ARM_NAME.fullmatch(name):
            raise AssayError(f"arm {name!r}: a name is letters, digits, '-', '_' and '.'")
        if name.lower() in OWN_FILES:
            raise AssayError(f"arm {name!r}: a file of the ablation has this name; choose another")
        if name.lower() in folders:
            raise AssayError(f"arms {folders[name.lower()]!r} and {name!r} differ only in case")
        folders[name.lower()] = name


def _resolve(config: AblationConfig, arm: str) -> ResolvedConfig:
    """Return an arm's config for the first seed; what it leaves open is as its runs began.

    One thread a run, unless more are asked for: so the same numbers come of any number of jobs.
    """
    folders = _find_runs(config, arm)
    try:
        one = override(config.base, {**config.arms[arm], "seed": config.seeds[0]})
        for folder in folders:
            one = adopt(one, folder)
        return pin_init(resolve(replace(one, threads=one.threads or 1), ALONE), folders[0])
    except AssayError as error:
        raise AssayError(f"arm {arm}: {error}") from None


def _find_runs(config: AblationConfig, arm: str) -> list[Path]:
    return [find_run(config.out, arm, seed) for seed in config.seeds]


def _identify(config: ResolvedConfig, corpus: Corpus, first: Path) -> RunIdentity:
    """Return the identity of an arm's runs, of which `first` is the folder of the first."""
    return replace(identify(config, describe_data(config, corpus), first), places={})


def _choose_colours(config: AblationConfig) -> dict[str, int]:
    """Return the number of each arm: its earlier one, else the lowest that no arm has had."""
    earlier = find_plan(config.out)
    known = {arm.name: arm.colour for arm in earlier.arms} if earlier else {}
    unused = (number for number in count() if number not in known.values())
    return {name: known[name] if name in known else next(unused) for name in config.arms}
