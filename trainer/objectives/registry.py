"""The table of objectives: all that is known of each, in one record; nothing here needs torch.

A record names its function, which is imported when a run begins: so commands and configs know every
objective, its help and its knobs without loading torch. Formulas, known faults and how to add one,
here or from a package of your own: docs/objectives.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib import import_module
from typing import Any

from weighting.errors import AssayError
from weighting.extensions import Extension, extend, list_extensions
from weighting.knobs import knob, list_knobs

KIND = "objectives"  # of extensions: the entry points are those of assay.objectives

# What an objective may read beyond losses and targets, and the field of `Tokens` that holds it.
# What it does not read is not computed.
READINGS: Mapping[str, str] = {
    "weights": "weights_BxT",
    "entropy": "entropy_BxT",
    "reference": "reference_BxT",
    "short": "short_BxT",
    "types": "types",
}


def _holds_knobs(kind: type[Any]) -> bool:
    return is_dataclass(kind) and {item.name for item in fields(kind)} == {*list_knobs(kind)}


@dataclass(frozen=True)
class Objective:
    """How the losses of a batch's targets become the terms whose sum is minimised.

    `function` names a function of a module, `MODULE:NAME`, from `trainer.objectives.tokens.Tokens`
    to terms_BxT. `knobs` is a frozen dataclass whose every field is a `weighting.knobs.knob` with a
    default; its fields become flags and config keys, so their names are unique among all of them.
    """

    function: str
    summary: str  # one line, for --help
    reads: tuple[str, ...] = ()  # of READINGS
    whole_batch: bool = False  # a weight depends on other targets of the batch: no micro-batches
    known_before: bool = False  # no weight depends on this forward pass: terms of losses all 1
    knobs: type[Any] | None = None
    paper: str = ""  # where it is from

    def __post_init__(self) -> None:
        """Raise TypeError where a record cannot be what it says."""
        unknown = sorted({*self.reads} - {*READINGS})
        if unknown:
            raise TypeError(f"reads {unknown[0]!r}, must be of {', '.join(READINGS)}")
        if not all(self.function.partition(":")):
            raise TypeError(f"function is {self.function!r}, must be MODULE:NAME")
        if self.knobs is not None and not _holds_knobs(self.knobs):
            raise TypeError(f"knobs is {self.knobs!r}, must be a dataclass of knobs")

    def load(self) -> Callable[..., Any]:
        """Return the function, from `Tokens` to terms_BxT.

        Raises:
            AssayError: there is no such function, or its module cannot be imported.
        """
        module, _, name = self.function.partition(":")
        try:
            function: Callable[..., Any] = getattr(import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise AssayError(f"objective {self.function}: cannot be imported: {error}") from error
        return function


@dataclass(frozen=True)
class FocalKnobs:
    """Of `focal`."""

    focal_gamma: float = knob(1.0, "power of 1 - p", least=0)


@dataclass(frozen=True)
class MileKnobs:
    """Of `mile`."""

    mile_gamma: float = knob(1.0, "power of 1 + entropy", least=0)


@dataclass(frozen=True)
class RunningKnobs:
    """Of `running`."""

    running_blend: float = knob(1.0, "share of the weights; the rest is uniform", least=0, most=1)


@dataclass(frozen=True)
class SelectiveKnobs:
    """Of `selective`."""

    select_share: float = knob(0.6, "share of the targets that are trained on", above=0, most=1)


@dataclass(frozen=True)
class CvarKnobs:
    """Of `cvar`."""

    cvar_share: float = knob(0.9, "share of the targets, those of highest loss", above=0, most=1)


@dataclass(frozen=True)
class FalphaKnobs:
    """Of `falpha`."""

    falpha_alpha: float = knob(0.5, "0 is the log loss, 1 the probability itself", least=0)


@dataclass(frozen=True)
class LongceKnobs:
    """Of `longce`."""

    longce_cap: float = knob(5.0, "largest weight", least=1)


OWN: Mapping[str, Objective] = {
    "plain": Objective(
        "trainer.objectives.functions:plain",
        "every target weighs 1",
        known_before=True,
    ),
    "weighted": Objective(
        "trainer.objectives.functions:weighted",
        "the weights of the shards",
        reads=("weights",),
        known_before=True,
    ),
    "face": Objective(
        "trainer.objectives.functions:face",
        "rare types weigh more, by their count so far",
        reads=("types",),
        known_before=True,
        paper="Jiang et al. 2019, arXiv 1902.09191",
    ),
    "focal": Objective(
        "trainer.objectives.functions:focal",
        "targets of low probability weigh more",
        whole_batch=True,
        knobs=FocalKnobs,
        paper="Lin et al. 2017, arXiv 1708.02002",
    ),
    "mile": Objective(
        "trainer.objectives.functions:mile",
        "targets of uncertain predictions weigh more",
        reads=("entropy",),
        whole_batch=True,
        knobs=MileKnobs,
        paper="Su et al. 2024, arXiv 2310.19531",
    ),
    "running": Objective(
        "trainer.objectives.functions:running",
        "types of high running loss weigh more",
        reads=("types",),
        whole_batch=True,
        known_before=True,
        knobs=RunningKnobs,
        paper="unreviewed manuscript, 2026",
    ),
    "selective": Objective(
        "trainer.objectives.functions:selective",
        "only the targets whose loss exceeds a reference model's by most",
        reads=("reference",),
        whole_batch=True,
        knobs=SelectiveKnobs,
        paper="Rho-1, Lin et al. 2024, arXiv 2404.07965",
    ),
    "cvar": Objective(
        "trainer.objectives.functions:cvar",
        "only the targets of highest loss",
        whole_batch=True,
        knobs=CvarKnobs,
        paper="Rockafellar and Uryasev 2000; ESLM, arXiv 2505.19893",
    ),
    "falpha": Objective(
        "trainer.objectives.functions:falpha",
        "between log loss and probability: unlikely targets pull less",
        knobs=FalphaKnobs,
        paper="Li et al. 2025, arXiv 2510.00526",
    ),
    "longce": Objective(
        "trainer.objectives.functions:longce",
        "targets that the far context helps weigh more",
        reads=("short",),
        knobs=LongceKnobs,
        paper="LongCE, Fang et al. 2024, arXiv 2410.23771",
    ),
}


@cache
def load_objectives() -> Mapping[str, Objective]:
    """Return every objective by its name: assay's own, then those of installed packages.

    Raises:
        AssayError: an installed package's objective cannot be imported, or is none.
    """
    return extend(KIND, OWN, Objective)


def find_objective(name: str) -> Objective:
    """Return the objective of a name.

    Raises:
        AssayError: there is none; the message lists those that there are.
    """
    objectives = load_objectives()
    if name not in objectives:
        raise AssayError(f"objective is {name!r}, must be one of {', '.join(objectives)}")
    return objectives[name]


def find_extensions(name: str) -> tuple[Extension, ...]:
    """Return the installed package that an objective is from; empty for assay's own."""
    return tuple(one for one in list_extensions() if (one.kind, one.name) == (KIND, name))


def list_knob_classes() -> dict[type[Any], list[str]]:
    """Return the classes of all objectives' knobs, and the names of the objectives of each."""
    found: dict[type[Any], list[str]] = {}
    for name, objective in load_objectives().items():
        if objective.knobs is not None:
            found.setdefault(objective.knobs, []).append(name)
    return found
