"""The arithmetic of a weight: computed anew by the functions that wrote it, step by step."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import duckdb
import numpy as np

from flows.explain.records import Kept, Record
from weighting.arrays import Bools, Float32s
from weighting.contracts.counts import WeighingFacts
from weighting.contracts.manifest import Manifest
from weighting.policies.controls import key_documents, key_tokens
from weighting.policies.normalisation import Scale, dampen, normalize
from weighting.policies.params import PolicyParams
from weighting.policies.quantiles import Cut
from weighting.policies.registry import (
    POLICIES,
    SHUFFLED,
    Evidence,
    find_base,
    list_signals,
    resolve_params,
    weigh_raw,
)
from weighting.signals.registry import Facts, Signals
from weighting.signals.token_types import Types

TOLERANCE = 1e-6  # relative: float32, in another order of the same operations


class Corpus(NamedTuple):
    """What a token is measured against."""

    types: Types
    facts: Facts
    eos_id: int


class Weighing(NamedTuple):
    """How the tokens of one document came by their weights."""

    policy: str
    params: PolicyParams
    signals: Mapping[str, Float32s]
    facts: Facts
    scale: Scale
    special_N: Bools
    raw_N: Float32s
    factor_N: Float32s
    weights_N: Float32s


class Step(NamedTuple):
    """One line of the arithmetic: what is done, and what comes out."""

    name: str
    formula: str
    value: float


def read_corpus(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> Corpus:
    """Return what the policies and flags of a run measured its tokens against."""
    columns = connection.execute(
        "SELECT count_train, holders FROM tokens ORDER BY token_id"
    ).fetchnumpy()
    counts_V, holders_V = (np.asarray(column, np.int64) for column in columns.values())
    eos_id = manifest.tokenizer.eos_id
    signals = manifest.counts.signals
    rare = signals.rare_surprisal
    # None where the train split has no text: no token is held against a mean then.
    means = cast("Mapping[str, float]", signals.means)
    return Corpus(
        Types(counts_V, holders_V, int(counts_V[eos_id])),
        Facts(means, float("inf") if rare is None else rare),
        eos_id,
    )


def weigh_again(corpus: Corpus, told: WeighingFacts, record: Record, kept: Kept) -> Weighing | None:
    """Return the weights of a document, computed anew; None without what they follow from.

    That is without a sidecar, and for documents that were not weighed. For `shuffled` they are what
    the tokens weighed before they were permuted.
    """
    split = told.splits.get(record["split"])
    if kept.starts_N is None or split is None:
        return None
    policy, params = told.policy, PolicyParams(**told.params)
    signals = Signals(corpus.types, kept.ids_N, kept.stored)
    offsets_D1 = np.array([0, len(kept.ids_N)])
    seen = Evidence(
        kept.ids_N,
        signals,
        corpus.types,
        corpus.facts,
        corpus.eos_id,
        {name: Cut(*cut) for name, cut in split.cuts.items()},
        key_tokens(key_documents([record["doc_id"]], params.seed), offsets_D1),
    )
    special_N = np.asarray(kept.ids_N == corpus.eos_id)
    raw_N = weigh_raw(policy, seen, params)
    factor_N = dampen(policy, kept.copies_N, kept.contaminated_N, params)
    scale = Scale(split.mean, split.mix, split.divisor, split.effective)
    weights_N = normalize(raw_N, factor_N, special_N, scale)
    return Weighing(
        policy, params, signals, corpus.facts, scale, special_N, raw_N, factor_N, weights_N
    )


def describe_weight(
    weighing: Weighing | None, policy: str, kept: Kept, position: int
) -> dict[str, Any]:
    """Return the weight of a token in the shard, the steps to it, and whether they lead there."""
    written = None if kept.weights_N is None else float(kept.weights_N[position])
    story: dict[str, Any] = {"weight": written, "policy": policy}
    story |= {"summary": POLICIES[policy].summary, "inputs": [], "steps": []}
    if weighing is None:
        return {**story, "reproduced": None, "note": _tell_missing(kept)}
    result = float(weighing.weights_N[position])
    return {
        **story,
        "inputs": [] if weighing.special_N[position] else list_inputs(weighing, position),
        "steps": [step._asdict() for step in list_steps(weighing, kept, position)],
        **_compare(weighing, result, written, bool(weighing.special_N[position])),
    }


def list_inputs(weighing: Weighing, position: int) -> list[dict[str, Any]]:
    """Return the signals that the policy reads: name, value, mean, and dial where it has one."""
    names = dict.fromkeys(list_signals(weighing.policy, weighing.params))
    dials = weighing.params.dials if find_base(weighing.policy, weighing.params) == "soft" else {}
    return [
        {
            "signal": name,
            "value": float(weighing.signals[name][position]),
            "mean": weighing.facts.means.get(name),
            "dial": dials.get(name),
        }
        for name in names
    ]


def list_steps(weighing: Weighing, kept: Kept, position: int) -> list[Step]:
    """Return the lines from the raw weight to the final one (`policies.normalisation`)."""
    mean, mix, divisor, _ = weighing.scale
    weight = float(weighing.weights_N[position])
    if weighing.special_N[position]:
        return [Step("end of text", f"1 / {divisor:.6g}", weight)]
    raw, factor = float(weighing.raw_N[position]), float(weighing.factor_N[position])
    relative = raw / mean
    mixed = mix + (1 - mix) * relative
    return [
        Step("raw", _word_policy(weighing), raw),
        Step("relative", f"raw / mean of the split = {raw:.6g} / {mean:.6g}", relative),
        Step("mixed", f"mix + (1 - mix) * relative, mix = {_word_mix(weighing)}", mixed),
        Step("damped", _word_factor(weighing, kept, position), factor * mixed),
        Step("weight", f"damped / divisor = {factor * mixed:.6g} / {divisor:.6g}", weight),
    ]


def _word_policy(weighing: Weighing) -> str:
    """Name the policy with the parameters that it reads."""
    base = find_base(weighing.policy, weighing.params)
    read = {name: getattr(weighing.params, name) for name in POLICIES[base].reads}
    values = [f"{name} {value}" for name, value in read.items() if name != "dials"]
    return ", ".join([f"{base}: {POLICIES[base].summary}", *values])


def _word_mix(weighing: Weighing) -> str:
    mix = weighing.scale.mix
    wanted = resolve_params(weighing.policy, weighing.params).mix
    raised = f", raised from {wanted:g} for an effective share of {weighing.scale.effective:.3g}"
    return f"{mix:.6g}" + (raised if mix != wanted else "")


def _word_factor(weighing: Weighing, kept: Kept, position: int) -> str:
    factor, params = float(weighing.factor_N[position]), weighing.params
    if factor == 1:
        return "mixed * 1, neither repeated nor contaminated"
    parts, copies = [], int(kept.copies_N[position])
    if copies > 1:
        parts.append(f"{copies}^-{params.duplicate:g}, the documents that hold its passage")
    if kept.contaminated_N[position]:
        parts.append(f"{params.contaminated:g}, part of an evaluation item")
    return f"mixed * {factor:.6g} = {' * '.join(parts)}"


def _compare(
    weighing: Weighing, result: float, written: float | None, special: bool
) -> dict[str, Any]:
    if written is None:
        note = "the selection left this document out; so it would weigh, had it been kept"
        return {"reproduced": None, "note": note}
    if weighing.policy == SHUFFLED and not special:
        note = (
            f"permuted: {result:.6g} went to another token of equal damping, and this one has "
            "another's weight; no step leads there, which is what the control is for"
        )
        return {"reproduced": None, "note": note}
    if abs(result - written) <= TOLERANCE * max(abs(result), abs(written)):
        return {"reproduced": True, "note": "the number in the shard"}
    note = f"not the number in the shard, {written:.6g}: the run's files do not belong together"
    return {"reproduced": False, "note": note}


def _tell_missing(kept: Kept) -> str:
    if kept.starts_N is None:
        return "the run keeps no signals, so its weights cannot be computed anew"
    return "no document of this split was weighed"
