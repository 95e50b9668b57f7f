"""Where the weight of a shard lies: sums by source, reason, trajectory and decile of frequency."""

from collections.abc import Iterator, Mapping

import numpy as np

from pipelines.weigh.shard_summary import DecileWeight, ShardSummary, SourceWeight, TokenWeight
from pipelines.weigh.weigh_inputs import UnitSplit
from weighting.arrays import Bools, Float64s, Int64s
from weighting.contracts.reasons import Reason
from weighting.contracts.shards import Tokens
from weighting.signals.trajectory import CLASSES, classify

DECILES = 11  # the ten, and 0 for types that are not in the train split
OCTAVES, PER_OCTAVE = 6, 4  # of a histogram's bins: from 2^-6 to 2^6, and how many to a factor of 2
EXPONENTS = np.arange(-OCTAVES * PER_OCTAVE, OCTAVES * PER_OCTAVE + 1)
HISTOGRAM_EDGES = np.concatenate([[0.0], 2.0 ** (EXPONENTS / PER_OCTAVE)])


def sum_shard(tokens: Tokens, found: UnitSplit, path: str, sha256: str) -> ShardSummary:
    """Return what the accounts need of a shard of at least one document, written at `path`."""
    weights_N = tokens.weights_N.astype(np.float64)
    names, source_D = np.unique(np.array(tokens.sources, object), return_inverse=True)
    sources = _sum_sources(tokens, weights_N, source_D)
    deciles = _sum_deciles(tokens, weights_N, source_D, found.inputs.deciles_V)
    return ShardSummary(
        path=path,
        sha256=sha256,
        documents=len(tokens.doc_ids),
        tokens=len(weights_N),
        mass=float(weights_N.sum()),
        squares=float(np.square(weights_N).sum()),
        zeros=int((weights_N == 0).sum()),
        max=float(weights_N.max()),
        histogram=histogram(weights_N),
        sources=dict(zip(names, sources, strict=True)),
        reasons=_sum_masks(_list_reasons(tokens), weights_N),
        trajectories=_sum_masks(_list_trajectories(found), weights_N),
        deciles=dict(zip(names, deciles, strict=True)),
    )


def histogram(weights_N: Float64s) -> list[int]:
    """Return token counts between HISTOGRAM_EDGES; the last bin takes all above."""
    smallest, largest = HISTOGRAM_EDGES[1] / 2, HISTOGRAM_EDGES[-2]
    octaves_N = np.log2(np.clip(weights_N, smallest, largest))
    bins_N = np.floor(octaves_N * PER_OCTAVE).astype(np.int64) + OCTAVES * PER_OCTAVE + 1
    counts = np.bincount(np.maximum(bins_N, 0), minlength=len(HISTOGRAM_EDGES) - 1)
    return [int(count) for count in counts]


def _sum_sources(tokens: Tokens, weights_N: Float64s, source_D: Int64s) -> Iterator[SourceWeight]:
    """Yield documents, tokens and weight of every source."""
    lengths_D = np.diff(tokens.offsets_D1)
    mass_D = np.add.reduceat(weights_N, tokens.offsets_D1[:-1])
    columns = (np.bincount(source_D), *(np.bincount(source_D, x) for x in (lengths_D, mass_D)))
    for documents, size, mass in zip(*columns, strict=True):
        yield SourceWeight(documents=int(documents), tokens=int(size), mass=float(mass))


def _sum_deciles(
    tokens: Tokens, weights_N: Float64s, source_D: Int64s, deciles_V: Int64s
) -> Iterator[list[DecileWeight]]:
    """Yield, for every source, tokens and weight of the frequency deciles that it has."""
    source_N = np.repeat(source_D, np.diff(tokens.offsets_D1))
    group_N = DECILES * source_N + deciles_V[tokens.ids_N]
    groups = DECILES * (int(source_D.max()) + 1)
    size_SxG = np.bincount(group_N, minlength=groups).reshape(-1, DECILES)
    mass_SxG = np.bincount(group_N, weights_N, groups).reshape(-1, DECILES)
    for size_G, mass_G in zip(size_SxG, mass_SxG, strict=True):
        yield [
            DecileWeight(decile=int(at), tokens=int(size_G[at]), mass=float(mass_G[at]))
            for at in np.flatnonzero(size_G)
        ]


def _list_reasons(tokens: Tokens) -> Iterator[tuple[str, Bools]]:
    for reason in Reason:
        yield str(reason.name).lower(), (tokens.reasons_N & np.uint8(reason)) > 0


def _list_trajectories(found: UnitSplit) -> Iterator[tuple[str, Bools]]:
    """Yield the text tokens of each class, where the run has a trajectory."""
    if found.inputs.has_trajectory:
        signals, mean = found.batch.signals, found.inputs.scheme.facts.means["nll"]
        class_N = classify(signals["change"], signals["nll"], mean)
        for code, name in enumerate(CLASSES):
            yield name, (class_N == code) & ~found.sidecar.special_N


def _sum_masks(
    masks: Iterator[tuple[str, Bools]], weights_N: Float64s
) -> Mapping[str, TokenWeight]:
    """Return tokens and weight of every mask that holds a token."""
    return {
        name: TokenWeight(tokens=int(hits_N.sum()), mass=float(weights_N[hits_N].sum()))
        for name, hits_N in masks
        if hits_N.any()
    }
