"""What weighing finds out once over the whole corpus: gains, borders, cuts, scales.

Each function is a step of the weigh job that runs once, on sums over all units, and adds what it
finds to the calibration. The next step's units get that, and nothing of one another: a unit takes
as long in a corpus of a hundred units as in one of a hundred thousand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipelines.settings import WeighSettings
from weighting.arrays import Int64s
from weighting.contracts.counts import SplitScale, WeighingFacts
from weighting.contracts.splits import SPLITS, TRAIN
from weighting.errors import AssayError
from weighting.policies.golden import GAIN_BINS, find_least_gain
from weighting.policies.normalisation import (
    Scale,
    WeightSums,
    find_scale,
    find_uniform_scale,
    merge_sums,
)
from weighting.policies.params import PolicyParams
from weighting.policies.quantiles import BINS, Cut, cut_share
from weighting.policies.registry import find_share, list_ranked, resolve_params
from weighting.policies.selection import Borders, Selection, fill, find_borders
from weighting.policies.weighing import Scheme


@dataclass(frozen=True)
class Calibration:
    """What is known so far; beside a token's signals, its weight depends on nothing else.

    Without a selection there are no borders, and where the policy ranks no tokens there are no
    cuts. `scales` has the splits that hold documents. `least_gains` are those from which tokens are
    golden, by split; None: none is.
    """

    borders: Borders | None = None
    cuts: Mapping[str, Mapping[str, Cut]] = field(default_factory=dict)  # by split and signal
    scales: Mapping[str, Scale] = field(default_factory=dict)  # by split
    least_gains: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class UnitSums:
    """What a unit adds to the sums over each split in which it has documents."""

    splits: Mapping[str, WeightSums]


def find_least_gains(counts: Int64s, params: PolicyParams) -> Calibration:
    """Return the gains of golden tokens, from all units' counts, int64 [splits * GAIN_BINS]."""
    rows = zip(SPLITS, counts.reshape(len(SPLITS), GAIN_BINS), strict=True)
    share = params.golden_share
    return Calibration(least_gains={split: find_least_gain(row, share) for split, row in rows})


def find_score_border(known: Calibration, scores_B: Int64s, selection: Selection) -> Calibration:
    """Add the border of scores alone, from the tokens of all units by score, int64 [B]."""
    return replace(known, borders=Borders(score=fill(scores_B, selection.tokens).border, key=0))


def find_selection(
    known: Calibration, scores_B: Int64s, keys_B: Int64s, selection: Selection
) -> Calibration:
    """Add both borders; see `weighting.policies.selection.find_borders`."""
    return replace(known, borders=find_borders(scores_B, keys_B, selection.tokens))


def find_cuts(known: Calibration, counts: Int64s, settings: WeighSettings) -> Calibration:
    """Add the cuts, from the histograms of all units, int64 [splits * signals * BINS]."""
    ranked = list_ranked(settings.policy, settings.params)
    share = find_share(settings.policy, settings.params)
    histograms = counts.reshape(len(SPLITS), len(ranked), BINS)
    cuts = {
        split: {
            name: cut_share(histogram_B, share, lowest)
            for (name, lowest), histogram_B in zip(ranked.items(), rows, strict=True)
        }
        for split, rows in zip(SPLITS, histograms, strict=True)
    }
    return replace(known, cuts=cuts)


def find_scales(
    known: Calibration, units: Sequence[UnitSums], settings: WeighSettings
) -> Calibration:
    """Add the scale of each split that holds documents, from the sums of all units in any order.

    Raises:
        AssayError: the weights of a split cannot be brought to mean 1.
    """
    found = sorted({split for unit in units for split in unit.splits})
    scales = {}
    for split in found:
        sums = merge_sums(unit.splits[split] for unit in units if split in unit.splits)
        scales[split] = _find_scale(split, sums, settings)
    return replace(known, scales=scales)


def describe_weighing(known: Calibration, scheme: Scheme) -> WeighingFacts:
    """Return what the manifest says of a weighing."""
    splits = {
        split: SplitScale(
            **scale._asdict(),
            cuts={name: [*cut] for name, cut in known.cuts.get(split, {}).items()},
            golden_from=known.least_gains.get(split),
        )
        for split, scale in known.scales.items()
    }
    return WeighingFacts(
        policy=scheme.policy,
        params=resolve_params(scheme.policy, scheme.params).to_dict(),
        splits=splits,
        golden=scheme.golden,
        borders=None if known.borders is None else [*known.borders],
    )


def _find_scale(split: str, sums: WeightSums, settings: WeighSettings) -> Scale:
    if split != TRAIN and not sums.raw:  # a mask may hold no token of a small split
        return find_uniform_scale(sums, settings.policy, settings.params)
    try:
        return find_scale(sums, settings.policy, settings.params)
    except AssayError as error:
        raise AssayError(f"split {split}: {error}") from None
