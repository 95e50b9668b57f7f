"""Rule families: annotators that give every document a value for each rule.

Every value is computed and kept in the ledger; the recipe's thresholds decide which rules drop.
A family is a module with `RULES` (name → published bounds) and `annotate(batch) -> {name: values}`;
adding one adds a module and a line to `FAMILIES`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipelines.rules import gopher
from pipelines.rules.batch import Batch
from pipelines.rules.bounds import Bounds

Values = Mapping[str, npt.NDArray[np.float64]]


class Family(NamedTuple):
    """A rule family: its rules with the published bounds, in order, and how to compute them."""

    rules: Mapping[str, Bounds]
    annotate: Callable[[Batch], Values]


FAMILIES: Mapping[str, Family] = {
    "gopher_quality": Family(gopher.RULES, gopher.annotate),
}


def list_rules() -> list[str]:
    """Return the names of all rules of all families, in ledger order."""
    return [rule for family in FAMILIES.values() for rule in family.rules]


def annotate(batch: Batch) -> Values:
    """Return every rule's value for D documents, float64 [D] each; NaN where it is undefined."""
    return {
        rule: values
        for family in FAMILIES.values()
        for rule, values in family.annotate(batch).items()
    }


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
