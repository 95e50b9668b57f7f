"""Kernel: bring a unit's raw weights to mean 1 and write its token shards, one a split."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.arrays import load_array, save_array
from pipelines.encode import Encoder
from pipelines.score import Scores, load_scores, to_fixed
from pipelines.settings import Job, WeighSettings
from pipelines.tokenize import SPLITS, TRAIN, Documents, load_tokens
from weighting.files import sha256
from weighting.policies import Mass, normalize
from weighting.reasons import Reason
from weighting.shards import ShardInfo, Tokens, write_shard

STAGE = "pack"


def pack_unit(
    uid: int,
    masses: Mapping[str, Mass],
    tokenizer_hash: str,
    encoder: Encoder,
    settings: WeighSettings,
    job: Job,
) -> npt.NDArray[np.int64]:
    """Write the unit's shards; return its weight mass by type, int64 [V] in units of 2^-20.

    `masses` gives the sums over each split. A split without documents in this unit gets no shard.
    """
    mass_path = job.work.path("mass", uid, ".npy")
    if job.work.is_done(STAGE, uid):
        return load_array(mass_path)
    documents = load_tokens(job, uid)
    scores = load_scores(job, uid)
    mass_V = np.zeros(encoder.vocab_size, np.float64)
    entries: dict[str, Any] = {}
    for split in SPLITS:
        chosen_D = documents.train_D if split == TRAIN else ~documents.train_D
        if not chosen_D.any():
            continue
        tokens = choose_documents(documents, scores, chosen_D, masses[split], settings.params.mix)
        info = ShardInfo(
            tokenizer_hash,
            encoder.vocab_size,
            encoder.eos_id,
            split,
            settings.policy,
            settings.params.to_dict(),
        )
        path = job.run / "shards" / f"{split}-{uid:06d}.arrow"
        write_shard(path, info, [tokens])
        mass_V += np.bincount(tokens.ids_N, weights=tokens.weights_N, minlength=encoder.vocab_size)
        file = {"path": path.relative_to(job.run).as_posix(), "sha256": sha256(path)}
        entries[split] = describe(tokens) | file
    save_array(mass_path, to_fixed(mass_V))
    job.work.finish(STAGE, uid, {"tokens": len(scores.raw_N), "splits": entries})
    return to_fixed(mass_V)


def choose_documents(
    documents: Documents, scores: Scores, chosen_D: npt.NDArray[np.bool_], mass: Mass, mix: float
) -> Tokens:
    """Return the chosen documents, which are a unit's part of a split, with their weights."""
    chosen_N = documents.spread(chosen_D)
    lengths = np.diff(documents.offsets_D1)[chosen_D]
    return Tokens(
        documents.doc_ids.filter(chosen_D).to_pylist(),
        documents.sources.filter(chosen_D).to_pylist(),
        np.concatenate([[0], np.cumsum(lengths)]),
        documents.ids_N[chosen_N],
        normalize(scores.raw_N[chosen_N], scores.factor_N[chosen_N], mass, mix),
        scores.reasons_N[chosen_N],
    )


def describe(tokens: Tokens) -> dict[str, Any]:
    """Return what the accounts need of a shard: totals, and mass by source and by reason."""
    weights = tokens.weights_N.astype(np.float64)
    lengths = np.diff(tokens.offsets_D1)
    ends = np.concatenate([[0.0], np.cumsum(weights)])
    mass_D = ends[tokens.offsets_D1[1:]] - ends[tokens.offsets_D1[:-1]]
    sources: dict[str, list[float]] = {}
    for source, length, mass in zip(tokens.sources, lengths, mass_D, strict=True):
        row = sources.setdefault(source, [0, 0, 0.0])
        row[0] += 1
        row[1] += int(length)
        row[2] += float(mass)
    flagged = {
        str(reason.name).lower(): (tokens.reasons_N & np.uint8(reason)) > 0 for reason in Reason
    }
    return {
        "rows": len(tokens.doc_ids),
        "tokens": len(weights),
        "mass": float(weights.sum()),
        "squares": float(weights @ weights),
        "zeros": int((weights == 0).sum()),
        "max": float(weights.max()),
        "sources": sources,
        "reasons": {
            name: [int(hits.sum()), float(weights[hits].sum())]
            for name, hits in flagged.items()
            if hits.any()
        },
        "histogram": histogram(weights),
    }


HISTOGRAM_EDGES = np.concatenate([[0.0], np.geomspace(1 / 64, 64, 49)])


def histogram(weights_N: npt.NDArray[np.float64]) -> list[int]:
    """Return token counts between HISTOGRAM_EDGES; the last bin takes all above."""
    counts, _ = np.histogram(np.minimum(weights_N, HISTOGRAM_EDGES[-1]), HISTOGRAM_EDGES)
    return [int(count) for count in counts]
