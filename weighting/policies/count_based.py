"""Policies of types: from the counts of text tokens on the train split to a raw weight of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from weighting.arrays import Float64s, Int64s
from weighting.knobs import knob
from weighting.policies.params import OwnParams
from weighting.policies.policy import Policy

PDL_EPSILON = 1e-7  # added to relative frequencies


@dataclass(frozen=True)
class PdlParams(OwnParams):
    """The knobs of `pdl`."""

    alpha: float = knob(0.25, "Weights are frequency^-alpha.", least=0, most=4)
    cap: float = knob(8.0, "Weights are at most this many times their mean.", least=1, most=1e6)


@dataclass(frozen=True)
class SubsampleParams(OwnParams):
    """The knobs of `subsample`."""

    threshold: float = knob(1e-4, "The frequency up to which a type weighs fully.", above=0)


def face(counts_V: Int64s, params: OwnParams) -> Float64s:  # noqa: ARG001
    """1 - f / max f, scaled to mean 1 over the vocabulary: FACE (arXiv 1902.09191), exact counts.

    The commonest type weighs 0, as published; with `mix` it weighs something.
    """
    weights_V = 1.0 - counts_V / max(1, int(counts_V.max()))
    total = float(weights_V.sum())
    return np.asarray(weights_V * (len(counts_V) / total) if total else weights_V)


def pdl(counts_V: Int64s, params: PdlParams) -> Float64s:
    """(f + 1e-7)^-alpha over its mean, at most `cap`: power-law decay (arXiv 2505.16900).

    At the published alpha of 1, half of the weight goes to types that are 7 % of the text.
    """
    total = max(1, int(counts_V.sum()))
    raw_V = (counts_V / total + PDL_EPSILON) ** -params.alpha
    mean = float((raw_V * counts_V).sum()) / total
    return np.asarray(np.minimum(raw_V / (mean or 1.0), params.cap))


def surprisal(counts_V: Int64s, params: OwnParams) -> Float64s:  # noqa: ARG001
    """-log f, one added to each count so that types never seen weigh something finite."""
    return np.asarray(-np.log((counts_V + 1.0) / (float(counts_V.sum()) + len(counts_V))))


def subsample(counts_V: Int64s, params: SubsampleParams) -> Float64s:
    """min(1, sqrt(t / f)): what word2vec's subsampling keeps (arXiv 1310.4546)."""
    frequency_V = counts_V / max(1, int(counts_V.sum()))
    return np.asarray(np.sqrt(params.threshold / np.maximum(frequency_V, params.threshold)))


COUNT_BASED: Mapping[str, Policy[Any]] = {
    "face": Policy(
        "1 - f/max f (FACE)",
        "1 - f / max f",
        OwnParams,
        paper="FACE 1902.09191, exact counts of targets",
        of_types=face,
    ),
    "pdl": Policy(
        "f^-alpha, capped (power-law decay)",
        "(f + 1e-7)^-alpha, at most `cap` means",
        PdlParams,
        paper="2505.16900",
        of_types=pdl,
    ),
    "surprisal": Policy("log 1/f", "-log f", OwnParams, of_types=surprisal),
    "subsample": Policy(
        "min(1, sqrt(threshold/f)) (word2vec)",
        "min(1, sqrt(`threshold` / f))",
        SubsampleParams,
        paper="word2vec 1310.4546",
        of_types=subsample,
    ),
}
