"""The rules, by name and by family: those of assay, then those of installed packages.

Every value is computed and kept in the ledger; the recipe's thresholds decide which rules drop. A
family of ours is its rules (name → record) in `own_rules`, and a module with `annotate(batch) ->
{name: values}`, which is imported when it is first needed: who only speaks of rules loads no
compiled code. Adding one adds these and a line to `OWN`. A rule of an installed package has a
function of its own, and is a family of its own name.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from pipelines.rules import own_rules
from pipelines.rules.bounds import Bounds
from pipelines.rules.families import contamination
from pipelines.rules.rule import NO_BOUNDS, Family, Rule, Values
from weighting.arrays import Float64s
from weighting.contracts.documents import DOCUMENTS, ledger_schema
from weighting.errors import AssayError
from weighting.extensions import extend

if TYPE_CHECKING:  # with the kernels of the families
    from pipelines.rules.batch import Batch


def _compute(module: str) -> "Callable[[Batch], Values]":
    """Return the `annotate` of a family's module, which is imported when it is first called."""

    def annotate(batch: "Batch") -> Values:
        values: Values = import_module(f"pipelines.rules.families.{module}").annotate(batch)
        return values

    return annotate


OWN: Mapping[str, Family] = {
    "url": Family(own_rules.URL, _compute("url")),
    "language": Family(own_rules.LANGUAGE, _compute("language")),
    "gopher_quality": Family(own_rules.GOPHER_QUALITY, _compute("gopher")),
    "gopher_repetition": Family(own_rules.GOPHER_REPETITION, _compute("repetition")),
    "c4": Family(own_rules.C4, _compute("c4")),
    "fineweb_quality": Family(own_rules.FINEWEB_QUALITY, _compute("fineweb")),
    "bad_words": Family(own_rules.BAD_WORDS, _compute("bad_words")),
    "unigram": Family(own_rules.UNIGRAM, _compute("unigram")),
    "pii": Family(own_rules.PII, _compute("pii")),
    "length": Family(own_rules.LENGTH, _compute("length")),
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

    def annotate(batch: "Batch") -> Values:
        values_D = np.asarray(compute(batch), np.float64)
        if values_D.shape != (len(batch.texts_D),):
            raise AssayError(
                f"rule {name}: annotate returns an array of shape {values_D.shape}, must be "
                f"({len(batch.texts_D)},)"
            )
        return {name: values_D}

    return Family({name: rule}, annotate)


NO_OWN: Mapping[str, Mapping[str, Bounds]] = {}
FAMILIES: Mapping[str, Family] = _collect()
# In the ledger's order. Contamination is measured last, on the text after all edits.
RULES: Mapping[str, Rule] = {
    **{name: rule for family in FAMILIES.values() for name, rule in family.rules.items()},
    **contamination.RULES,
}


def describe_rule(name: str) -> str:
    """Return what a rule's value is; empty for a rule of a run that is not installed here."""
    return RULES[name].meaning if name in RULES else ""


def annotate(batch: "Batch") -> Values:
    """Return every rule's value for D documents, float64 [D] each; NaN where it is undefined.

    So it is for the rules of families that the settings leave out.
    """
    values: dict[str, Float64s] = {}
    for name, family in FAMILIES.items():
        if batch.settings.wants(name):
            values |= family.annotate(batch)
        else:
            values |= {rule: np.full(len(batch.texts_D), np.nan) for rule in family.rules}
    return values


def find_failures(
    values: Values,
    bounds: Mapping[str, Bounds],
    own: Mapping[str, Mapping[str, Bounds]] = NO_OWN,
    judged_as_D: Sequence[str] = (),
) -> list[Sequence[str]]:
    """Return for each document the rules whose value lies outside the bounds, in rule order.

    `own` are bounds of some languages, which count instead of `bounds` for documents judged as one
    of those. NaN (a value without a denominator, e.g. of an empty text) fails no rule; such texts
    fail the rules on counts.
    """
    failed = {
        rule: bounds.get(rule, NO_BOUNDS).fails(values_D) for rule, values_D in values.items()
    }
    for language in own.keys() & set(judged_as_D):
        texts_D = np.array([one == language for one in judged_as_D], bool)
        for rule in own[language].keys() & failed.keys():
            failed[rule][texts_D] = own[language][rule].fails(values[rule][texts_D])
    names, failed_RxD = list(failed), np.stack(list(failed.values()))
    return [[names[i] for i in np.flatnonzero(column)] for column in failed_RxD.T]
