"""Kernel: bring a unit's raw weights to mean 1 and write its token shards, one a split."""

from collections.abc import Iterator, Mapping

import numpy as np

from pipelines.score.score_unit import name_part
from pipelines.settings import Job
from pipelines.weigh.sum_weights import Cuts, compute_factor, compute_raw
from pipelines.weigh.summaries import (
    DecileWeight,
    ShardSummary,
    SourceWeight,
    TokenWeight,
    WeighSummary,
)
from pipelines.weigh.weigh_inputs import Part, Plan, load_parts
from weighting.arrays import Bools, Float32s, Float64s, Int64s
from weighting.contracts.reasons import Reason
from weighting.contracts.shards import ShardInfo, Tokens, write_shard
from weighting.policies.controls import shuffle
from weighting.policies.normalisation import Scale, normalize
from weighting.policies.registry import SHUFFLED, resolve_params
from weighting.policies.selection import Borders
from weighting.signals.trajectory import CLASSES, classify
from weighting.storage.files import sha256

FIXED_POINT = 2.0**20
DECILES = 11  # the ten, and 0 for types that are not in the train split


def write_unit_shards(
    uid: int, plan: Plan, borders: Borders | None, cuts: Cuts, scales: Mapping[str, Scale], job: Job
) -> Int64s:
    """Write the unit's shards; return weight mass and tokens by type, int64 [2, V].

    Mass is in units of 2^-20: sums of it do not depend on the order of units. A split without
    documents in this unit gets no shard.
    """
    sums_file = job.work.unit_type_weights[uid]
    if job.work.weigh.is_done(uid):
        return sums_file.load()
    types = plan.statistics.types
    sums_2V = np.zeros((2, len(types.counts_V)), np.int64)
    shards: dict[str, ShardSummary] = {}
    for part in load_parts(uid, plan, borders):
        if not len(part.sidecar.doc_ids):
            continue
        weighed = weigh_documents(part, plan, cuts, scales[part.split])
        path = job.run / "shards" / f"{name_part(part.split, uid)}.arrow"
        write_shard(path, describe_shard(part, plan), [weighed])
        mass_V = np.bincount(weighed.ids_N, weighed.weights_N, len(types.counts_V))
        sums_2V[0] += np.rint(mass_V * FIXED_POINT).astype(np.int64)
        sums_2V[1] += np.bincount(weighed.ids_N, minlength=len(types.counts_V))
        name = path.relative_to(job.run).as_posix()
        shards[part.split] = summarise(weighed, part, plan, name, sha256(path))
    sums_file.save(sums_2V)
    tokens = sum(shard.tokens for shard in shards.values())
    job.work.weigh.finish(uid, WeighSummary(tokens, shards))
    return sums_2V


def weigh_documents(part: Part, plan: Plan, cuts: Cuts, scale: Scale) -> Tokens:
    """Return the documents of a part with their weights."""
    sidecar = part.sidecar
    return Tokens(
        sidecar.doc_ids.to_pylist(),
        sidecar.sources.to_pylist(),
        sidecar.offsets_D1,
        sidecar.ids_N,
        weigh_tokens(part, plan, cuts, scale),
        part.reasons_N,
    )


def weigh_tokens(part: Part, plan: Plan, cuts: Cuts, scale: Scale) -> Float32s:
    """Return the final weights of a part, float32 [N]."""
    settings, special_N = plan.settings, part.sidecar.special_N
    factor_N = compute_factor(part, plan)
    weights_N = normalize(compute_raw(part, plan, cuts), factor_N, special_N, scale)
    if settings.policy != SHUFFLED:
        return weights_N
    return shuffle(weights_N, factor_N, special_N, part.key_tokens(settings.params.seed))


def describe_shard(part: Part, plan: Plan) -> ShardInfo:
    """Return what a shard says of itself."""
    info, settings = part.sidecar.info, plan.settings
    return ShardInfo(
        info.tokenizer_sha256,
        info.vocab_size,
        info.eos_id,
        part.split,
        settings.policy,
        resolve_params(settings.policy, settings.params).to_dict(),
    )


def summarise(tokens: Tokens, part: Part, plan: Plan, path: str, checksum: str) -> ShardSummary:
    """Return what a shard holds: totals, and weight mass by source, reason and more."""
    weights = tokens.weights_N.astype(np.float64)
    names, source_D = np.unique(np.array(tokens.sources, object), return_inverse=True)
    return ShardSummary(
        path=path,
        sha256=checksum,
        documents=len(tokens.doc_ids),
        tokens=len(weights),
        mass=float(weights.sum()),
        squares=float(np.square(weights).sum()),
        zeros=int((weights == 0).sum()),
        max=float(weights.max()),
        histogram=histogram(weights),
        sources=dict(zip(names, _sum_sources(tokens, weights, source_D), strict=True)),
        reasons=_sum_masks(_list_reasons(tokens), weights),
        trajectories=_sum_masks(_list_trajectories(part, plan), weights),
        deciles=dict(zip(names, _sum_deciles(tokens, weights, source_D, plan), strict=True)),
    )


def _sum_sources(tokens: Tokens, weights_N: Float64s, source_D: Int64s) -> Iterator[SourceWeight]:
    """Yield documents, tokens and weight of every source."""
    lengths_D = np.diff(tokens.offsets_D1)
    mass_D = np.add.reduceat(weights_N, tokens.offsets_D1[:-1])
    columns = (np.bincount(source_D), *(np.bincount(source_D, x) for x in (lengths_D, mass_D)))
    for documents, size, mass in zip(*columns, strict=True):
        yield SourceWeight(int(documents), int(size), float(mass))


def _sum_deciles(
    tokens: Tokens, weights_N: Float64s, source_D: Int64s, plan: Plan
) -> Iterator[list[DecileWeight]]:
    """Yield, for every source, decile, tokens and weight of the frequency deciles that it has."""
    source_N = np.repeat(source_D, np.diff(tokens.offsets_D1))
    group_N = DECILES * source_N + plan.deciles_V[tokens.ids_N]
    groups = DECILES * (int(source_D.max()) + 1)
    size_SxG = np.bincount(group_N, minlength=groups).reshape(-1, DECILES)
    mass_SxG = np.bincount(group_N, weights_N, groups).reshape(-1, DECILES)
    for size_G, mass_G in zip(size_SxG, mass_SxG, strict=True):
        yield [
            DecileWeight(int(at), int(size_G[at]), float(mass_G[at]))
            for at in np.flatnonzero(size_G)
        ]


def _list_reasons(tokens: Tokens) -> Iterator[tuple[str, Bools]]:
    for reason in Reason:
        yield str(reason.name).lower(), (tokens.reasons_N & np.uint8(reason)) > 0


def _list_trajectories(part: Part, plan: Plan) -> Iterator[tuple[str, Bools]]:
    """Yield the text tokens of each class, where the run has a trajectory."""
    if plan.has_trajectory:
        signals, mean = part.signals, plan.statistics.facts.means["nll"]
        class_N = classify(signals["change"], signals["nll"], mean)
        for code, name in enumerate(CLASSES):
            yield name, (class_N == code) & ~part.sidecar.special_N


def _sum_masks(masks: Iterator[tuple[str, Bools]], weights_N: Float64s) -> dict[str, TokenWeight]:
    """Return tokens and weight of every mask that holds a token."""
    return {
        name: TokenWeight(int(hits_N.sum()), float(weights_N[hits_N].sum()))
        for name, hits_N in masks
        if hits_N.any()
    }


OCTAVES, PER_OCTAVE = 6, 4  # of a histogram's bins: from 2^-6 to 2^6, and how many to a factor of 2
EXPONENTS = np.arange(-OCTAVES * PER_OCTAVE, OCTAVES * PER_OCTAVE + 1)
HISTOGRAM_EDGES = np.concatenate([[0.0], 2.0 ** (EXPONENTS / PER_OCTAVE)])


def histogram(weights_N: Float64s) -> list[int]:
    """Return token counts between HISTOGRAM_EDGES; the last bin takes all above."""
    smallest, largest = HISTOGRAM_EDGES[1] / 2, HISTOGRAM_EDGES[-2]
    octaves_N = np.log2(np.clip(weights_N, smallest, largest))
    bins_N = np.floor(octaves_N * PER_OCTAVE).astype(np.int64) + OCTAVES * PER_OCTAVE + 1
    counts = np.bincount(np.maximum(bins_N, 0), minlength=len(HISTOGRAM_EDGES) - 1)
    return [int(count) for count in counts]
