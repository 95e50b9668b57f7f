"""Policies turn signals into loss weights. Adding one touches this file.

A policy gives every token a raw weight, ≥ 0, on a scale of its own, which
`weighting.policies.normalisation` brings to mean 1 over the split. Those of *types* are computed on
the V types and looked up, those of *tokens* from what is known of N tokens. What they are told is
`weighting.policies.params`.

Published methods are scaled over one batch or sequence, or not at all; here all are over the split,
so that no policy changes the learning rate in passing.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np

from weighting.arrays import AnyArray, Bools, Float32s, Float64s, Int64s, Uint64s
from weighting.errors import AssayError
from weighting.policies.controls import choose_random
from weighting.policies.params import PolicyParams
from weighting.policies.quantiles import Cut, above
from weighting.signals.registry import Facts
from weighting.signals.token_types import Types
from weighting.signals.trajectory import THRESHOLD

__all__ = [
    "POLICIES",
    "SHUFFLED",
    "Evidence",
    "Policy",
    "PolicyParams",
    "check_policy",
    "find_base",
    "find_keys",
    "list_ranked",
    "list_signals",
    "resolve_params",
    "tabulate_raw",
    "weigh_raw",
]


PDL_EPSILON = 1e-7  # added to relative frequencies
SHUFFLED = "shuffled"
CONTROLS = ("uniform",)  # stay exactly as they are, whatever is marked or mixed
# What damping, scaling and flags read, whatever the policy.
GENERAL = (
    *("mix", "least_effective", "duplicate", "contaminated"),
    *("golden", "golden_gain", "key_gain", "key_nll"),
)
SOURCES: Mapping[str, str] = {  # of signals that a run may lack
    "nll": "a reference model",
    "entropy": "a reference model",
    "excess": "a reference of two or more checkpoints (reference.checkpoints)",
    "change": "a reference of two or more checkpoints (reference.checkpoints)",
    "context_gain": "a reference with a short context (reference.short)",
    "disagreement": "a second model (reference.second)",
}


class Evidence(NamedTuple):
    """What is known of N tokens of one unit and split, and of the corpus."""

    ids_N: AnyArray
    signals: Mapping[str, Float32s]
    types: Types
    facts: Facts
    eos_id: int
    cuts: Mapping[str, Cut]  # over the split, of the signals that `list_ranked` names
    keys_N: Uint64s  # `controls.key_tokens`, read by `random` alone; else it may be empty


# Of types: from the counts of text tokens on the train split to float64 [V].


def face(counts_V: Int64s, params: PolicyParams) -> Float64s:  # noqa: ARG001
    """1 - f / max f, scaled to mean 1 over the vocabulary: FACE (arXiv 1902.09191), exact counts.

    The commonest type weighs 0, as published; with `mix` it weighs something.
    """
    weights_V = 1.0 - counts_V / max(1, int(counts_V.max()))
    total = float(weights_V.sum())
    return np.asarray(weights_V * (len(counts_V) / total) if total else weights_V)


def pdl(counts_V: Int64s, params: PolicyParams) -> Float64s:
    """(f + 1e-7)^-alpha over its mean, at most `cap`: power-law decay (arXiv 2505.16900).

    At the published alpha of 1, half of the weight goes to types that are 7 % of the text.
    """
    total = max(1, int(counts_V.sum()))
    raw_V = (counts_V / total + PDL_EPSILON) ** -params.alpha
    mean = float((raw_V * counts_V).sum()) / total
    return np.asarray(np.minimum(raw_V / (mean or 1.0), params.cap))


def idf(counts_V: Int64s, params: PolicyParams) -> Float64s:  # noqa: ARG001
    """log 1/f, one added to each count so that types never seen weigh something finite."""
    return np.asarray(-np.log((counts_V + 1.0) / (float(counts_V.sum()) + len(counts_V))))


def subsample(counts_V: Int64s, params: PolicyParams) -> Float64s:
    """min(1, sqrt(t / f)): what word2vec's subsampling keeps (arXiv 1310.4546)."""
    frequency_V = counts_V / max(1, int(counts_V.sum()))
    return np.asarray(np.sqrt(params.threshold / np.maximum(frequency_V, params.threshold)))


# Of tokens: from what is known of them to float32 [N].


def uniform(seen: Evidence, params: PolicyParams) -> Float32s:  # noqa: ARG001
    """Every token weighs the same: the plain objective."""
    return np.ones(len(seen.ids_N), np.float32)


def soft(seen: Evidence, params: PolicyParams) -> Float32s:
    """exp(Σ dial (signal - its mean)), within [1/cap, cap].

    A dial on the surprisal is PDL of that exponent, up to a constant; one on a context gain is
    LongCE, tempered. At first the formula took the unigram entropy, which is its mean, from the
    surprisal and nothing from the gain. Constants drop out in scaling: the means only decide where
    the cap lies.
    """
    tables = seen.types.tables
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


def long_ce(seen: Evidence, params: PolicyParams) -> Float32s:
    """min(exp(context gain), longce_cap): LongCE (arXiv 2410.23771)."""
    gain_N = np.minimum(seen.signals["context_gain"], np.float32(math.log(params.longce_cap)))
    np.exp(gain_N, out=gain_N)
    return gain_N


def helm(seen: Evidence, params: PolicyParams) -> Float32s:  # noqa: ARG001
    """|context gain|, the dense weights of Helm et al. (arXiv 2503.09202); their lambda is `mix`.

    Their sparse weights are `top_k` by the context gain.
    """
    return np.abs(seen.signals["context_gain"])


def ppmi(seen: Evidence, params: PolicyParams) -> Float32s:
    """max(0, gain - log shift), positive mutual information with far context (2503.09202).

    As their table means it: in their code an assertion refuses the shift.
    """
    beyond_N = seen.signals["context_gain"] - np.float32(math.log(params.shift))
    return np.asarray(np.maximum(beyond_N, np.float32(0), out=beyond_N))


def npmi(seen: Evidence, params: PolicyParams) -> Float32s:
    """max(0, -gain - log shift): tokens that far context makes less likely (2503.09202)."""
    beyond_N = -seen.signals["context_gain"] - np.float32(math.log(params.shift))
    return np.asarray(np.maximum(beyond_N, np.float32(0), out=beyond_N))


def key_token(seen: Evidence, params: PolicyParams) -> Float32s:
    """A mask of LongPPL's key tokens (arXiv 2410.23771)."""
    return find_keys(seen.signals, params).astype(np.float32)


def learnt(seen: Evidence, params: PolicyParams) -> Float32s:  # noqa: ARG001
    """A mask of tokens whose loss fell by 0.2 nats in training: class H→L (2404.07965)."""
    return (seen.signals["change"] < np.float32(-THRESHOLD)).astype(np.float32)


def top_k(seen: Evidence, params: PolicyParams) -> Float32s:
    """A mask of the share highest in `signal`; by excess it is Rho-1 (2404.07965), static."""
    return above(seen.signals[params.signal], seen.cuts[params.signal])


def intersection(seen: Evidence, params: PolicyParams) -> Float32s:  # noqa: ARG001
    """A mask of what is in both shares, highest excess and lowest entropy (2404.07965, table 3)."""
    learnable_N = above(seen.signals["excess"], seen.cuts["excess"])
    return learnable_N * above(seen.signals["entropy"], seen.cuts["entropy"], lowest=True)


def random(seen: Evidence, params: PolicyParams) -> Float32s:
    """A mask of each token with probability `share`, by a hash: the control of masks."""
    return choose_random(seen.keys_N, params.share).astype(np.float32)


def find_keys(signals: Mapping[str, Float32s], params: PolicyParams) -> Bools:
    """Return LongPPL's key tokens, bool [N]: far context decides them, and the model is right."""
    sure_N = signals["nll"] < np.float32(params.key_nll)
    return np.asarray((signals["context_gain"] > np.float32(params.key_gain)) & sure_N)


@dataclass(frozen=True)
class Policy:
    """How a policy weighs, and what it needs to.

    One of `of_types` and `of_tokens` is set; neither if it permutes another policy's weights.
    """

    summary: str
    of_types: Callable[[Int64s, PolicyParams], Float64s] | None = None
    of_tokens: Callable[[Evidence, PolicyParams], Float32s] | None = None
    signals: Sequence[str] = ()  # beside those that its parameters name
    reads: Sequence[str] = ()  # parameters, beside those of GENERAL
    ranked: bool = False  # whether its signals are cut at a share of the split
    lowest: Sequence[str] = ()  # of these, those whose lowest values count
    mix: float = 0.0  # where params.mix is None


GAIN = ("context_gain",)
POLICIES: Mapping[str, Policy] = {
    "uniform": Policy("all alike: plain training, the control", of_tokens=uniform),
    "face": Policy("1 - f/max f (FACE)", of_types=face),
    "pdl": Policy("f^-alpha, capped (power-law decay)", of_types=pdl, reads=("alpha", "cap")),
    "idf": Policy("log 1/f", of_types=idf),
    "subsample": Policy(
        "min(1, sqrt(threshold/f)) (word2vec)", of_types=subsample, reads=("threshold",)
    ),
    "soft": Policy(
        "exp of weighed signals, capped", of_tokens=soft, reads=("dials", "cap"), mix=0.25
    ),
    "long_ce": Policy(
        "exp of the context gain, capped (LongCE)",
        of_tokens=long_ce,
        signals=GAIN,
        reads=("longce_cap",),
    ),
    "helm": Policy("|context gain| (Helm et al., dense)", of_tokens=helm, signals=GAIN, mix=0.75),
    "ppmi": Policy(
        "context gain above log shift (PPMI)", of_tokens=ppmi, signals=GAIN, reads=("shift",)
    ),
    "npmi": Policy(
        "context loss above log shift (NPMI)", of_tokens=npmi, signals=GAIN, reads=("shift",)
    ),
    "key_token": Policy(
        "mask: context decides and the model is right (LongPPL)",
        of_tokens=key_token,
        signals=("nll", *GAIN),
    ),
    "learnt": Policy(
        "mask: loss fell by 0.2 nats in training (H→L)", of_tokens=learnt, signals=("change",)
    ),
    "top_k": Policy(
        "mask: the share highest in a signal (by excess: Rho-1)",
        of_tokens=top_k,
        reads=("signal", "share"),
        ranked=True,
    ),
    "intersection": Policy(
        "mask: high excess and low entropy",
        of_tokens=intersection,
        signals=("excess", "entropy"),
        reads=("share",),
        ranked=True,
        lowest=("entropy",),
    ),
    "random": Policy(
        "mask: a share by chance, the control of masks", of_tokens=random, reads=("share", "seed")
    ),
    SHUFFLED: Policy("another policy's weights, permuted: its control", reads=("of", "seed")),
}


def find_base(name: str, params: PolicyParams) -> str:
    """Return the name of the policy whose weights these are: `params.of` where it is `shuffled`.

    Raises:
        AssayError: there is no such policy.
    """
    if name not in POLICIES:
        raise AssayError(f"unknown policy {name!r}; valid: {', '.join(POLICIES)}")
    if name != SHUFFLED:
        return name
    bases = [base for base in POLICIES if base != SHUFFLED]
    if params.of not in bases:
        raise AssayError(f"policy shuffled cannot be of {params.of!r}; valid: {', '.join(bases)}")
    return params.of


def list_signals(name: str, params: PolicyParams) -> list[str]:
    """Return the signals that a policy needs."""
    policy = POLICIES[find_base(name, params)]
    named = {"dials": tuple(params.dials), "signal": (params.signal,)}
    return [*policy.signals, *(item for read in policy.reads for item in named.get(read, ()))]


def list_ranked(name: str, params: PolicyParams) -> dict[str, bool]:
    """Return the signals that a policy needs cut at `params.share`; True: the lowest count."""
    policy = POLICIES[find_base(name, params)]
    return {item: item in policy.lowest for item in list_signals(name, params) if policy.ranked}


def resolve_params(name: str, params: PolicyParams) -> PolicyParams:
    """Return the parameters with the policy's own `mix` if none is given or nothing is mixed."""
    base = find_base(name, params)
    own = params.mix is None or base in CONTROLS
    return replace(params, mix=POLICIES[base].mix) if own else params


def check_policy(name: str, params: PolicyParams, known_signals: Sequence[str] | None) -> None:
    """Raise AssayError unless a policy can do what it is told with the signals of a run.

    `known_signals` may be None where they are not known yet.
    """
    base = find_base(name, params)
    reads = (*dict.fromkeys((*POLICIES[name].reads, *POLICIES[base].reads)), *GENERAL)
    plain = PolicyParams()
    for item in (field.name for field in fields(params)):
        if item not in reads and getattr(params, item) != getattr(plain, item):
            raise AssayError(f"policy {name} does not read {item}; it reads {', '.join(reads)}")
    for signal in list_signals(name, params):
        if known_signals is not None and signal not in known_signals:
            raise AssayError(
                f"policy {name} needs the signal {signal}, which this run does not have; "
                f"{SOURCES.get(signal, 'counting')} gives it. It has {', '.join(known_signals)}"
            )


def tabulate_raw(name: str, types: Types, eos_id: int, params: PolicyParams) -> Float32s | None:
    """Return the raw weight of each type, float32 [V], or None: the policy is of tokens.

    End-of-text tokens are left out of the counts: they are not text.
    """
    weigh = POLICIES[find_base(name, params)].of_types
    if weigh is None:
        return None
    counts_V = types.counts_V.copy()
    counts_V[eos_id] = 0
    return weigh(counts_V, params).astype(np.float32)


def weigh_raw(name: str, seen: Evidence, params: PolicyParams) -> Float32s:
    """Return raw weights, float32 [N], ≥ 0, finite. What end-of-text tokens get is not read.

    For `shuffled` these are the other policy's: `controls.shuffle` permutes the final ones.
    """
    raw_V = tabulate_raw(name, seen.types, seen.eos_id, params)
    if raw_V is not None:
        return np.take(raw_V, seen.ids_N)
    weigh = POLICIES[find_base(name, params)].of_tokens
    if weigh is None:
        raise AssayError(f"policy {name} weighs nothing of its own")
    return weigh(seen, params)
