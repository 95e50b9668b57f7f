"""Rule families: annotators that give every document a value for each rule.

Every value is computed and kept in the ledger; the recipe's thresholds decide which rules drop.
A family is a module with `RULES` (name → published bounds) and `annotate(batch) -> {name: values}`;
adding one adds a module and a line to `FAMILIES`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pipelines.rules.batch import Batch
from pipelines.rules.bounds import Bounds
from pipelines.rules.families import (
    bad_words,
    c4,
    contamination,
    fineweb,
    gopher,
    language,
    length,
    pii,
    repetition,
    unigram,
    url,
)
from pipelines.settings import RuleSettings
from weighting.arrays import Float64s

Values = Mapping[str, Float64s]


class Family(NamedTuple):
    """A rule family: its rules with the published bounds, in order, and how to compute them."""

    rules: Mapping[str, Bounds]
    annotate: Callable[[Batch], Values]


FAMILIES: Mapping[str, Family] = {
    "url": Family(url.RULES, url.annotate),
    "language": Family(language.RULES, language.annotate),
    "gopher_quality": Family(gopher.RULES, gopher.annotate),
    "gopher_repetition": Family(repetition.RULES, repetition.annotate),
    "c4": Family(c4.RULES, c4.annotate),
    "fineweb_quality": Family(fineweb.RULES, fineweb.annotate),
    "bad_words": Family(bad_words.RULES, bad_words.annotate),
    "unigram": Family(unigram.RULES, unigram.annotate),
    "pii": Family(pii.RULES, pii.annotate),
    "length": Family(length.RULES, length.annotate),
}


def list_bounds() -> dict[str, Bounds]:
    """Return the published bounds of all rules, in ledger order."""
    bounds = {name: bound for family in FAMILIES.values() for name, bound in family.rules.items()}
    return {**bounds, **contamination.RULES}


def list_rules() -> list[str]:
    """Return the names of all rules, in ledger order."""
    return list(list_bounds())


def annotate(batch: Batch) -> Values:
    """Return every rule's value for D documents, float64 [D] each; NaN where it is undefined.

    So it is for the rules of families that the settings leave out.
    """
    values: dict[str, Float64s] = {}
    for name, family in FAMILIES.items():
        if wants(batch.settings, name):
            values |= family.annotate(batch)
        else:
            values |= {rule: np.full(len(batch.texts_D), np.nan) for rule in family.rules}
    return values


def wants(settings: RuleSettings, family: str) -> bool:
    """Say whether the values of a family are computed."""
    return not settings.families or family in settings.families


def find_failures(values: Values, bounds: Mapping[str, Bounds]) -> list[Sequence[str]]:
    """Return for each document the rules whose value lies outside `bounds`, in rule order.

    NaN (a value without a denominator, e.g. of an empty text) fails no rule; such texts fail the
    rules on counts.
    """
    names = [rule for rule in values if rule in bounds]
    if not names:
        return [[] for _ in next(iter(values.values()))]
    failed_RxD = np.stack([bounds[rule].fails(values[rule]) for rule in names])
    return [[names[i] for i in np.flatnonzero(column)] for column in failed_RxD.T]
