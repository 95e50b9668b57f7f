"""Kernel: weigh a unit's documents and write its token shards, one a split."""

import numpy as np

from pipelines.score.score_unit import name_part
from pipelines.settings import Job
from pipelines.weigh.calibrate import Calibration
from pipelines.weigh.shard_summary import WeighSummary
from pipelines.weigh.shard_sums import sum_shard
from pipelines.weigh.weigh_inputs import UnitSplit, WeighInputs, read_splits
from weighting.arrays import Int64s
from weighting.contracts.shards import ShardInfo, Tokens, write_shard
from weighting.policies.registry import resolve_params
from weighting.policies.weighing import weigh_tokens
from weighting.storage.files import sha256

FIXED_POINT = 2.0**20


def write_unit_shards(uid: int, inputs: WeighInputs, known: Calibration, job: Job) -> Int64s:
    """Write the unit's shards; return weight mass and tokens by type, int64 [2, V].

    Mass is in units of 2^-20: sums of it do not depend on the order of units. A split without
    documents in this unit gets no shard. A unit done before gives its sums from disk.
    """
    sums_file = job.work.unit_type_weights[uid]
    if job.work.weigh.is_done(uid):
        return sums_file.load()
    sums_2V = np.zeros((2, len(inputs.scheme.types.counts_V)), np.int64)
    shards = {}
    for found in read_splits(uid, inputs, known):
        if len(found.sidecar.doc_ids):
            tokens = weigh_documents(found, known)
            path = job.run / "shards" / f"{name_part(found.split, uid)}.arrow"
            write_shard(path, describe_shard(found), [tokens])
            sums_2V += sum_types(tokens, sums_2V.shape[1])
            name = path.relative_to(job.run).as_posix()
            shards[found.split] = sum_shard(tokens, found, name, sha256(path))
    sums_file.save(sums_2V)
    size = sum(shard.tokens for shard in shards.values())
    job.work.weigh.finish(uid, WeighSummary(tokens=size, shards=shards))
    return sums_2V


def weigh_documents(found: UnitSplit, known: Calibration) -> Tokens:
    """Return documents of a unit and split with their weights and reasons."""
    cuts, scale = known.cuts.get(found.split, {}), known.scales[found.split]
    return Tokens(
        doc_ids=list(found.batch.doc_ids),
        sources=found.sidecar.sources.to_pylist(),
        offsets_D1=found.batch.offsets_D1,
        ids_N=found.batch.ids_N,
        weights_N=weigh_tokens(found.batch, found.inputs.scheme, cuts, scale).weights_N,
        reasons_N=found.reasons_N,
    )


def sum_types(tokens: Tokens, types: int) -> Int64s:
    """Return weight mass, in units of 1 / FIXED_POINT, and tokens of V types, int64 [2, V]."""
    mass_V = np.bincount(tokens.ids_N, tokens.weights_N, types)
    counts_V = np.bincount(tokens.ids_N, minlength=types)
    return np.stack([np.rint(mass_V * FIXED_POINT).astype(np.int64), counts_V])


def describe_shard(found: UnitSplit) -> ShardInfo:
    """Return what a shard says of itself."""
    info, scheme = found.sidecar.info, found.inputs.scheme
    return ShardInfo(
        tokenizer_sha256=info.tokenizer_sha256,
        vocab_size=info.vocab_size,
        eos_id=info.eos_id,
        split=found.split,
        policy=scheme.policy,
        policy_params=resolve_params(scheme.policy, scheme.params).to_dict(),
    )
