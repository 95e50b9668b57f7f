"""The arithmetic of a weight: computed anew by the function that wrote it, step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import duckdb
import numpy as np

from flows.explain.records import Kept, Record
from weighting.contracts.counts import WeighingFacts
from weighting.contracts.manifest import Manifest
from weighting.policies.normalisation import Scale
from weighting.policies.quantiles import Cut
from weighting.policies.registry import (
    POLICIES,
    SHUFFLED,
    find_base,
    find_own,
    list_signals,
    read_params,
    resolve_params,
)
from weighting.policies.weighing import Batch, Scheme, Weights, weigh_tokens
from weighting.signals.registry import Signals
from weighting.signals.signal import Facts
from weighting.signals.token_types import Types

TOLERANCE = 1e-6  # relative: float32, in another order of the same operations


@dataclass(frozen=True, eq=False)
class Corpus:
    """What a token is measured against."""

    types: Types
    facts: Facts
    eos_id: int


@dataclass(frozen=True, eq=False)
class Weighing:
    """How the tokens of one document came by their weights."""

    scheme: Scheme
    scale: Scale
    batch: Batch
    weights: Weights


@dataclass(frozen=True)
class Step:
    """One line of the arithmetic: what is done, and what comes out."""

    name: str
    formula: str
    value: float


@dataclass(frozen=True)
class Input:
    """A signal that the policy reads, its mean over the train split, and its dial, if any."""

    signal: str
    value: float
    mean: float | None
    dial: float | None


@dataclass(frozen=True)
class Outcome:
    """Whether the steps lead to the number in the shard; None where there is nothing to compare."""

    reproduced: bool | None
    note: str


@dataclass(frozen=True)
class WeightStory:
    """The weight of a token in the shard, the steps to it, and whether they lead there."""

    weight: float | None  # None where the selection left the document out
    policy: str
    summary: str
    inputs: Sequence[Input]
    steps: Sequence[Step]
    reproduced: bool | None
    note: str


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
        types=Types(counts_V, holders_V, documents=int(counts_V[eos_id])),
        facts=Facts(means, rare_surprisal=float("inf") if rare is None else rare),
        eos_id=eos_id,
    )


def weigh_again(corpus: Corpus, told: WeighingFacts, record: Record, kept: Kept) -> Weighing | None:
    """Return the weights of a document, computed again; None if what they follow from is missing.

    That is without a sidecar, and for documents that were not weighed.
    """
    split = told.splits.get(record["split"])
    if kept.starts_N is None or split is None:
        return None
    scheme = Scheme(
        policy=told.policy,
        params=read_params(told.policy, told.params),
        golden=told.golden,
        types=corpus.types,
        facts=corpus.facts,
        eos_id=corpus.eos_id,
    )
    batch = Batch(
        doc_ids=[record["doc_id"]],
        offsets_D1=np.array([0, len(kept.ids_N)]),
        ids_N=kept.ids_N,
        signals=Signals(corpus.types, kept.ids_N, kept.stored),
        copies_N=kept.copies_N,
        contaminated_N=kept.contaminated_N,
    )
    cuts = {name: Cut(*cut) for name, cut in split.cuts.items()}
    scale = Scale(split.mean, split.mix, split.divisor, split.effective)
    return Weighing(scheme, scale, batch, weigh_tokens(batch, scheme, cuts, scale))


def describe_weight(
    weighing: Weighing | None, policy: str, kept: Kept, position: int
) -> WeightStory:
    """Return how a token came by its weight.

    For `shuffled` the steps lead to what the token weighed before weights were permuted.
    """
    written = None if kept.weights_N is None else float(kept.weights_N[position])
    if weighing is None:
        outcome = Outcome(None, _tell_missing(kept))
    else:
        outcome = _compare(weighing, position, written)
    return WeightStory(
        weight=written,
        policy=policy,
        summary=POLICIES[policy].summary,
        inputs=list_inputs(weighing, position) if weighing else [],
        steps=list_steps(weighing, kept, position) if weighing else [],
        reproduced=outcome.reproduced,
        note=outcome.note,
    )


def list_inputs(weighing: Weighing, position: int) -> list[Input]:
    """Return the signals that the policy reads of a token; none of the end of a text."""
    scheme = weighing.scheme
    if weighing.weights.special_N[position]:
        return []
    dials = getattr(find_own(scheme.policy, scheme.params), "dials", {})
    return [
        Input(
            signal=name,
            value=float(weighing.batch.signals[name][position]),
            mean=scheme.facts.means.get(name),
            dial=dials.get(name),
        )
        for name in dict.fromkeys(list_signals(scheme.policy, scheme.params))
    ]


def list_steps(weighing: Weighing, kept: Kept, position: int) -> list[Step]:
    """Return the lines from the raw weight to the final one (`policies.normalisation`)."""
    mean, mix, divisor, _ = weighing.scale
    weights = weighing.weights
    weight = float(weights.own_N[position])
    if weights.special_N[position]:
        return [Step("end of text", f"1 / {divisor:.6g}", weight)]
    raw, factor = float(weights.raw_N[position]), float(weights.factor_N[position])
    relative = raw / mean
    mixed = mix + (1 - mix) * relative
    return [
        Step("raw", _word_policy(weighing.scheme), raw),
        Step("relative", f"raw / mean of the split = {raw:.6g} / {mean:.6g}", relative),
        Step("mixed", f"mix + (1 - mix) * relative, mix = {_word_mix(weighing)}", mixed),
        Step("damped", _word_factor(weighing, kept, position), factor * mixed),
        Step("weight", f"damped / divisor = {factor * mixed:.6g} / {divisor:.6g}", weight),
    ]


def _word_policy(scheme: Scheme) -> str:
    """Name the policy with the parameters that it reads."""
    base = find_base(scheme.policy, scheme.params)
    read = find_own(scheme.policy, scheme.params).to_dict()
    values = [f"{name} {value}" for name, value in read.items() if name != "dials"]
    return ", ".join([f"{base}: {POLICIES[base].summary}", *values])


def _word_mix(weighing: Weighing) -> str:
    mix = weighing.scale.mix
    wanted = resolve_params(weighing.scheme.policy, weighing.scheme.params).mix
    raised = f", raised from {wanted:g} for an effective share of {weighing.scale.effective:.3g}"
    return f"{mix:.6g}" + (raised if mix != wanted else "")


def _word_factor(weighing: Weighing, kept: Kept, position: int) -> str:
    factor, params = float(weighing.weights.factor_N[position]), weighing.scheme.params
    if factor == 1:
        return "mixed * 1, neither repeated nor contaminated"
    parts, copies = [], int(kept.copies_N[position])
    if copies > 1:
        parts.append(f"{copies}^-{params.duplicate:g}, the documents that hold its passage")
    if kept.contaminated_N[position]:
        parts.append(f"{params.contaminated:g}, part of an evaluation item")
    return f"mixed * {factor:.6g} = {' * '.join(parts)}"


def _compare(weighing: Weighing, position: int, written: float | None) -> Outcome:
    own, special = float(weighing.weights.own_N[position]), weighing.weights.special_N[position]
    if written is None:
        return Outcome(
            None, "the selection left this document out; so it would weigh, had it been kept"
        )
    if weighing.scheme.policy == SHUFFLED and not special:
        note = (
            f"permuted: {own:.6g} went to another token of equal damping, and this one has "
            "another's weight; no step leads there, which is what the control is for"
        )
        return Outcome(None, note)
    if abs(own - written) <= TOLERANCE * max(abs(own), abs(written)):
        return Outcome(True, "the number in the shard")
    note = f"not the number in the shard, {written:.6g}: the run's files do not belong together"
    return Outcome(False, note)


def _tell_missing(kept: Kept) -> str:
    if kept.starts_N is None:
        return "the run keeps no signals, so its weights cannot be computed anew"
    return "no document of this split was weighed"
