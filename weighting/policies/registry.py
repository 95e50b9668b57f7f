"""The policies, which turn signals into loss weights, and what they are told.

A policy gives every token a raw weight, ≥ 0, on a scale of its own, which
`weighting.policies.normalisation` brings to mean 1 over the split. Those of *types* are computed on
the V types and looked up, those of *tokens* from what is known of N tokens.

Published methods are scaled over one batch or sequence, or not at all; here all are over the split,
so that no policy changes the learning rate in passing.

Installed packages add policies by the entry points `assay.policies` (`weighting.extensions`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import Field, replace
from typing import Any

import numpy as np

from weighting.arrays import Float32s
from weighting.errors import AssayError
from weighting.extensions import extend
from weighting.knobs import Knob, list_knobs
from weighting.policies.controls import PERMUTED, RANDOM, UNIFORM, ShuffledParams
from weighting.policies.count_based import COUNT_BASED
from weighting.policies.masks import MASKS
from weighting.policies.params import GENERAL, OwnParams, PolicyParams, make_own
from weighting.policies.policy import Evidence, Policy
from weighting.policies.signal_based import SIGNAL_BASED
from weighting.signals.registry import SIGNALS
from weighting.signals.token_types import Types

SHUFFLED = "shuffled"
CONTROLS = ("uniform",)  # stay exactly as they are, whatever is marked or mixed
POLICIES: Mapping[str, Policy[Any]] = extend(
    "policies",
    {
        "uniform": UNIFORM,
        **COUNT_BASED,
        **SIGNAL_BASED,
        **MASKS,
        "random": RANDOM,
        SHUFFLED: PERMUTED,
    },
    Policy,
)


def find_base(name: str, params: PolicyParams) -> str:
    """Return the name of the policy whose weights these are: the knob `of` where it is `shuffled`.

    Raises:
        AssayError: there is no such policy, or the knobs are another's.
    """
    own = _find_told(name, params)
    return _check_base(own.of) if isinstance(own, ShuffledParams) else name


def find_own(name: str, params: PolicyParams) -> Any:  # noqa: ANN401 - of Policy.params
    """Return the knobs of the policy whose weights these are, as told or by default."""
    own = _find_told(name, params)
    if not isinstance(own, ShuffledParams):
        return own
    kind = POLICIES[_check_base(own.of)].params
    base = own.base if own.base is not None else make_own(kind, own.to_dict())
    if not isinstance(base, kind):
        raise AssayError(f"policy {own.of} is told {type(base).__name__}, not {kind.__name__}")
    return base


def find_seed(name: str, params: PolicyParams) -> int:
    """Return the seed of a policy that draws or permutes by chance; 0 of all others."""
    return int(getattr(_find_told(name, params), "seed", 0))


def draws_tokens(name: str, params: PolicyParams) -> bool:
    """Say whether a policy reads `Evidence.keys_N`."""
    return POLICIES[find_base(name, params)].draws


def list_signals(name: str, params: PolicyParams) -> list[str]:
    """Return the signals that a policy needs."""
    named = find_own(name, params).list_signals()
    return [*POLICIES[find_base(name, params)].signals, *named]


def list_ranked(name: str, params: PolicyParams) -> dict[str, bool]:
    """Return the signals that a policy needs cut at `find_share`; True: the lowest count."""
    policy = POLICIES[find_base(name, params)]
    return {item: item in policy.lowest for item in list_signals(name, params) if policy.ranked}


def find_share(name: str, params: PolicyParams) -> float:
    """Return at which share of the split a ranked policy cuts its signals; 1 of all others."""
    return float(getattr(find_own(name, params), "share", 1.0))


def list_kinds(name: str, of: str | None = None) -> list[type[OwnParams] | type[PolicyParams]]:
    """Return the dataclasses with the knobs that a policy reads, the general ones last.

    `of` is what `shuffled` permutes, by default its own default.

    Raises:
        AssayError: there is no such policy.
    """
    kinds = [_find_policy(name).params]
    if name == SHUFFLED:
        kinds.append(POLICIES[_check_base(ShuffledParams().of if of is None else of)].params)
    return [*kinds, PolicyParams]


def list_params(name: str, of: str | None = None) -> dict[str, tuple[Field[Any], Knob]]:
    """Return the knobs that a policy reads; see `list_kinds`."""
    read: dict[str, tuple[Field[Any], Knob]] = {}
    for kind in list_kinds(name, of):
        read = {**read, **{key: one for key, one in list_knobs(kind).items() if key not in read}}
    return read


def read_params(name: str, told: Mapping[str, Any]) -> PolicyParams:
    """Return what a policy is told by a flat table, such as a recipe's or a shard's.

    A knob that several read is given to all of them.

    Raises:
        AssayError: there is no such policy, it does not read a key, or a value is out of bounds.
    """
    reads = list_params(name, told.get("of"))
    for key in told:
        if key not in reads:
            raise AssayError(f"policy {name} does not read {key}; it reads {', '.join(reads)}")
    own = make_own(POLICIES[name].params, told)
    if isinstance(own, ShuffledParams):
        own = replace(own, base=make_own(POLICIES[own.of].params, {**told, **own.to_dict()}))
    return PolicyParams(own=own, **{key: told[key] for key in GENERAL if key in told})


def resolve_params(name: str, params: PolicyParams) -> PolicyParams:
    """Return the parameters with all defaults of the policy in place of None, `mix` included.

    `uniform` has its own mix whatever is given: none.
    """
    base, own = find_base(name, params), _find_told(name, params)
    if isinstance(own, ShuffledParams):
        own = replace(own, base=find_own(name, params))
    mix = POLICIES[base].mix if params.mix is None or base in CONTROLS else params.mix
    return replace(params, mix=mix, own=own)


def check_policy(name: str, params: PolicyParams, known_signals: Sequence[str] | None) -> None:
    """Raise AssayError unless a policy can do what it is told with the signals of a run.

    `known_signals` may be None where they are not known yet.
    """
    for signal in list_signals(name, params):
        if known_signals is not None and signal not in known_signals:
            raise AssayError(
                f"policy {name} needs the signal {signal}, which this run does not have; "
                f"{SIGNALS[signal].given_by} gives it. It has {', '.join(known_signals)}"
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
    return weigh(counts_V, find_own(name, params)).astype(np.float32)


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
    return weigh(seen, find_own(name, params))


def _find_policy(name: str) -> Policy[Any]:
    if name not in POLICIES:
        raise AssayError(f"unknown policy {name!r}; valid: {', '.join(POLICIES)}")
    return POLICIES[name]


def _find_told(name: str, params: PolicyParams) -> OwnParams:
    """Return the knobs of the policy itself, as told or by default."""
    kind: type[OwnParams] = _find_policy(name).params
    general = {key: getattr(params, key) for key in GENERAL}
    own = make_own(kind, general) if params.own is None else params.own
    if not isinstance(own, kind):
        raise AssayError(f"policy {name} is told {type(own).__name__}, not {kind.__name__}")
    return own


def _check_base(of: str) -> str:
    bases = [base for base in POLICIES if base != SHUFFLED]
    if of not in bases:
        raise AssayError(f"policy shuffled cannot be of {of!r}; valid: {', '.join(bases)}")
    return of
