"""Policies that grade tokens by their signals."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from weighting.arrays import Float32s
from weighting.knobs import knob
from weighting.policies.params import OwnParams
from weighting.policies.policy import Evidence, Policy

GAIN = ("context_gain",)


@dataclass(frozen=True)
class SoftParams(OwnParams):
    """The knobs of `soft`."""

    dials: Mapping[str, float] = knob(
        default_factory=lambda: {"surprisal": 0.25, "ngram_gain": 0.1},
        help="The exponent of each signal; those given replace the default ones altogether.",
        least=-16,
        most=16,
    )
    cap: float = knob(
        8.0, "Weights lie within [1/cap, cap] of a neutral token's.", least=1, most=1e6
    )

    def list_signals(self) -> tuple[str, ...]:
        """Return the signals that have a dial."""
        return tuple(self.dials)


@dataclass(frozen=True)
class LongceParams(OwnParams):
    """The knobs of `longce`."""

    cap: float = knob(5.0, "Highest weight.", least=1, most=1e6)


@dataclass(frozen=True)
class ShiftParams(OwnParams):
    """The knobs of `ppmi` and `npmi`."""

    shift: float = knob(
        1.0, "The ratio of probabilities from which tokens weigh anything.", above=0
    )


def soft(seen: Evidence, params: SoftParams) -> Float32s:
    """exp(Σ dial (signal - its mean)), within [1/cap, cap].

    A dial on the surprisal is PDL of that exponent, up to a constant; one on a context gain is
    LongCE, tempered. At first the formula took the unigram entropy, which is its mean, from the
    surprisal and nothing from the gain. Constants drop out in scaling: the means only decide where
    the cap lies.
    """
    from weighting.signals.registry import tabulate_types  # loads packages, which import this one

    tables = tabulate_types(seen.types)
    score_V = np.zeros(len(seen.types.counts_V))
    dials = dict(sorted(params.dials.items()))  # sums of floats, so in one order
    for name, dial in dials.items():
        score_V += dial * (tables.get(name, np.float32(0)) - np.float64(seen.facts.means[name]))
    score_N = np.take(score_V.astype(np.float32), seen.ids_N)  # signals of types cost one look-up
    for name in [name for name in dials if name not in tables]:
        score_N += np.float32(dials[name]) * seen.signals[name]
    bound = np.float32(math.log(params.cap))
    np.clip(score_N, -bound, bound, out=score_N)
    return np.exp(score_N, out=score_N)


def longce(seen: Evidence, params: LongceParams) -> Float32s:
    """min(exp(context gain), cap): LongCE (arXiv 2410.23771)."""
    gain_N = np.minimum(seen.signals["context_gain"], np.float32(math.log(params.cap)))
    np.exp(gain_N, out=gain_N)
    return gain_N


def helm(seen: Evidence, params: OwnParams) -> Float32s:  # noqa: ARG001
    """|context gain|, the dense weights of Helm et al. (arXiv 2503.09202); their lambda is `mix`.

    Their sparse weights are `top_k` by the context gain.
    """
    return np.abs(seen.signals["context_gain"])


def ppmi(seen: Evidence, params: ShiftParams) -> Float32s:
    """max(0, gain - log shift), positive mutual information with far context (2503.09202).

    As their table means it: in their code an assertion refuses the shift.
    """
    beyond_N = seen.signals["context_gain"] - np.float32(math.log(params.shift))
    return np.asarray(np.maximum(beyond_N, np.float32(0), out=beyond_N))


def npmi(seen: Evidence, params: ShiftParams) -> Float32s:
    """max(0, -gain - log shift): tokens that far context makes less likely (2503.09202)."""
    beyond_N = -seen.signals["context_gain"] - np.float32(math.log(params.shift))
    return np.asarray(np.maximum(beyond_N, np.float32(0), out=beyond_N))


SIGNAL_BASED: Mapping[str, Policy[Any]] = {
    "soft": Policy(
        "exp of weighed signals, capped",
        "exp Σ dial (signal - mean), within [1/`cap`, `cap`]",
        SoftParams,
        paper="PDL and LongCE, tempered",
        of_tokens=soft,
        mix=0.25,
    ),
    "longce": Policy(
        "exp of the context gain, capped (LongCE)",
        "min(exp context gain, `cap`)",
        LongceParams,
        paper="LongCE 2410.23771",
        of_tokens=longce,
        signals=GAIN,
    ),
    "helm": Policy(
        "|context gain| (Helm et al., dense)",
        "|context gain|",
        OwnParams,
        paper="Helm et al. 2503.09202, dense",
        of_tokens=helm,
        signals=GAIN,
        mix=0.75,
    ),
    "ppmi": Policy(
        "context gain above log shift (PPMI)",
        "max(0, context gain - log `shift`)",
        ShiftParams,
        paper="Helm et al. 2503.09202, as their table means it",
        of_tokens=ppmi,
        signals=GAIN,
    ),
    "npmi": Policy(
        "context loss above log shift (NPMI)",
        "max(0, -context gain - log `shift`)",
        ShiftParams,
        paper="Helm et al. 2503.09202, as their table means it",
        of_tokens=npmi,
        signals=GAIN,
    ),
}
