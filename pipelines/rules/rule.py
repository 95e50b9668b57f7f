"""A rule and a rule family: all that is known of one, in one record.

Packages add rules of their own as entry points of the group `assay.rules`; the entry point's name
is the rule's, and so the name of its column in the ledger. See `pipelines.rules.registry`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.rules.bounds import Bounds
from weighting.arrays import Float64s
from weighting.errors import AssayError

if TYPE_CHECKING:  # a package's module of rules is imported before batches are
    from pipelines.rules.batch import Batch

Values = Mapping[str, Float64s]
NO_BOUNDS = Bounds()


@dataclass(frozen=True)
class Rule:
    """A number for each document, as recipes, docs, report and database speak of it."""

    meaning: str
    """What its value is, in one line without a full stop."""
    bounds: Bounds = NO_BOUNDS
    """The published ones; recipes set their own."""
    source: str = ""
    """The paper, or the code, that it comes from."""
    needs: str = ""
    """The key of `rule_options` without which it has no value."""
    subject: str = ""
    """What a document must have for a value, of a rule that looks at something beside the text."""
    asks: str = ""
    """What a language must have for a value: it is NaN in documents of a language without."""
    annotate: "Callable[[Batch], Float64s] | None" = None
    """`annotate(batch)` returns its values of D documents, float64 [D], NaN where it has none; of
    a rule that a family computes, None."""

    def __post_init__(self) -> None:
        """Refuse a meaning that does not fit the places where it is shown."""
        if "\n" in self.meaning or not self.meaning:
            raise AssayError(f"the meaning of a rule must be one line, is {self.meaning!r}")


@dataclass(frozen=True)
class Family:
    """Rules that are computed together; `annotate(batch)` returns each one's values, in order."""

    rules: Mapping[str, Rule]
    annotate: "Callable[[Batch], Values]"


def list_bounds(rules: Mapping[str, Rule]) -> dict[str, Bounds]:
    """Return the published bounds of rules, in order."""
    return {name: rule.bounds for name, rule in rules.items()}
