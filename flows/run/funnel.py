"""The funnel of a run: what was read, and what became of it, line by line."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

UNITS = ("records", "chars", "tokens")
KINDS_SHOWN = 6
STAGES = ("read", "dropped", "duplicate", "quarantined", "kept")


class Line(NamedTuple):
    """One line: `kind` is one of STAGES.

    `counts` are by unit; a unit that is not known is missing. A `detail` is part of the line of
    its kind above it.
    """

    kind: str
    label: str
    counts: Mapping[str, int]
    detail: bool = False


def list_funnel(
    counts: Mapping[str, Any],
    copies: Mapping[str, Mapping[str, int]],
    errors: Mapping[str, int],
) -> Iterator[Line]:
    """Yield the lines from read to kept, with the rules and errors that took something.

    `counts` are the manifest's, `copies` the duplicates by kind and unit, `errors` the quarantined
    records by error type.
    """
    funnel = counts["funnel"]

    def total(stage: str, label: str) -> Line:
        return Line(stage, label, {unit: int(funnel[unit][stage]) for unit in UNITS})

    yield total("read", "read")
    yield total("dropped", "dropped by rules")
    for rule, cost in sorted(counts["rules"].items(), key=lambda item: -item[1]["documents"]):
        if cost["documents"]:
            by_unit = {"records": cost["documents"], **{unit: cost[unit] for unit in UNITS[1:]}}
            yield Line("dropped", rule, by_unit, detail=True)
    yield total("duplicate", "duplicates")
    for kind, numbers in copies.items():
        yield Line("duplicate", kind, numbers, detail=True)
    yield total("quarantined", "quarantined")
    for error, records in errors.items():
        yield Line("quarantined", error, {"records": records}, detail=True)
    yield total("kept", "kept")


def describe_skipped(skipped: Mapping[str, int]) -> str:
    """Return which stored records were not documents, the commonest kinds first; "" if all were."""
    if not skipped:
        return ""
    kinds = sorted(skipped, key=lambda kind: (-skipped[kind], kind))
    parts = [f"{skipped[kind]:,} {kind}" for kind in kinds[:KINDS_SHOWN]]
    if rest := sum(skipped[kind] for kind in kinds[KINDS_SHOWN:]):
        parts.append(f"{rest:,} of {len(kinds) - KINDS_SHOWN} other kinds")
    return f"{sum(skipped.values()):,} stored records are no documents: {', '.join(parts)}"
