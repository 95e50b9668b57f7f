"""The rules, by name and by family: those of assay, then those of installed packages.

Every value is computed and kept in the ledger; the recipe's thresholds decide which rules drop. A
family is a module with `RULES` (name → record) and `annotate(batch) -> {name: values}`; adding one
adds a module and a line to `OWN`. A rule of an installed package has a function of its own, and is
a family of its own name.
"""

from collections.abc import Mapping, Sequence

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
from pipelines.rules.rule import Family, Rule, Values
from pipelines.settings import RuleSettings
from weighting.arrays import Float64s
from weighting.contracts.documents import DOCUMENTS, ledger_schema
from weighting.errors import AssayError
from weighting.extensions import extend

OWN: Mapping[str, Family] = {
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


def _collect() -> dict[str, Family]:
    """Return the families of assay, then a family for each rule of an installed package.

    Raises:
        AssayError: such a rule has a name that cannot be a column, or no function.
    """
    own = {name: rule for family in OWN.values() for name, rule in family.rules.items()}
    known = extend("rules", {**own, **contamination.RULES}, Rule)
    families = dict(OWN)
    columns = {*ledger_schema([]).names, *DOCUMENTS.names}
    for name, rule in known.items():
        if name not in own and name not in contamination.RULES:
            if name in families or name in columns or not name.isidentifier():
                raise AssayError(
                    f"an installed package adds the rule {name!r}: the name is taken, or is no word"
                )
            families[name] = _stand_alone(name, rule)
    return families


def _stand_alone(name: str, rule: Rule) -> Family:
    """Return the family of a rule that has a function of its own."""
    compute = rule.annotate
    if compute is None:
        raise AssayError(f"an installed package adds the rule {name!r}, which has no annotate")

    def annotate(batch: Batch) -> Values:
        values_D = np.asarray(compute(batch), np.float64)
        if values_D.shape != (len(batch.texts_D),):
            raise AssayError(
                f"rule {name}: annotate returns an array of shape {values_D.shape}, must be "
                f"({len(batch.texts_D)},)"
            )
        return {name: values_D}

    return Family({name: rule}, annotate)


FAMILIES: Mapping[str, Family] = _collect()
# In the ledger's order. Contamination is measured last, on the text after all edits.
RULES: Mapping[str, Rule] = {
    **{name: rule for family in FAMILIES.values() for name, rule in family.rules.items()},
    **contamination.RULES,
}


def describe_rule(name: str) -> str:
    """Return what a rule's value is; empty for a rule of a run that is not installed here."""
    return RULES[name].meaning if name in RULES else ""


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
