"""The funnel of a run: what was read, and what became of it, line by line."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import NamedTuple

from flows.shares import format_share
from weighting.contracts.counts import DocumentCounts, LanguageCounts

MEASURES = ("records", "chars", "tokens")
KINDS_SHOWN = 6
LANGUAGES_SHOWN = 8
STAGES = ("read", "dropped", "duplicate", "quarantined", "kept")


class Line(NamedTuple):
    """One line: `kind` is one of STAGES.

    `counts` are by measure; one that is not known is missing. A `detail` is part of the line of
    its kind above it.
    """

    kind: str
    label: str
    counts: Mapping[str, int]
    detail: bool = False


def list_funnel(
    documents: DocumentCounts,
    copies: Mapping[str, Mapping[str, int]],
    errors: Mapping[str, int],
) -> Iterator[Line]:
    """Yield the lines from read to kept, with the rules and errors that took something.

    `documents` are the manifest's counts, `copies` the duplicates by kind and measure, `errors` the
    quarantined records by error type.
    """
    funnels = {measure: asdict(funnel) for measure, funnel in documents.funnels.items()}

    def total(stage: str, label: str) -> Line:
        return Line(stage, label, {measure: funnels[measure][stage] for measure in MEASURES})

    yield total("read", "read")
    yield total("dropped", "dropped by rules")
    for cost in sorted(documents.rules.values(), key=lambda cost: -cost.documents):
        if cost.documents:
            sizes = {"records": cost.documents, "chars": cost.chars, "tokens": cost.tokens}
            yield Line("dropped", cost.rule, sizes, detail=True)
    yield total("duplicate", "duplicates")
    for kind, numbers in copies.items():
        yield Line("duplicate", kind, numbers, detail=True)
    yield total("quarantined", "quarantined")
    for error, records in errors.items():
        yield Line("quarantined", error, {"records": records}, detail=True)
    yield total("kept", "kept")


def describe_left_out(left_out: Mapping[str, int]) -> str:
    """Return why fields of documents could not be kept, the commonest first; "" if all were."""
    if not left_out:
        return ""
    reasons = sorted(left_out, key=lambda reason: (-left_out[reason], reason))
    return "fields left out: " + ", ".join(f"{left_out[name]:,} {name}" for name in reasons)


def describe_languages(languages: Mapping[str, LanguageCounts]) -> str:
    """Return by which languages documents were judged, the commonest first; "" if by one."""
    if len(languages) < 2:
        return ""
    order = sorted(languages, key=lambda name: (-languages[name].documents, name))
    parts = [_describe_language(name, languages[name]) for name in order[:LANGUAGES_SHOWN]]
    if (rest := len(languages) - LANGUAGES_SHOWN) > 0:
        parts.append(f"{rest} more")
    return f"documents judged by their language: {', '.join(parts)}"


def _describe_language(name: str, counts: LanguageCounts) -> str:
    kept = format_share(counts.kept, counts.documents, digits=0)
    return f"{name} {counts.documents:,} (kept {kept}%)"


def describe_skipped(skipped: Mapping[str, int]) -> str:
    """Return which stored records were not documents, the commonest kinds first; "" if all were."""
    if not skipped:
        return ""
    kinds = sorted(skipped, key=lambda kind: (-skipped[kind], kind))
    parts = [f"{skipped[kind]:,} {kind}" for kind in kinds[:KINDS_SHOWN]]
    if rest := sum(skipped[kind] for kind in kinds[KINDS_SHOWN:]):
        parts.append(f"{rest:,} of {len(kinds) - KINDS_SHOWN} other kinds")
    return f"{sum(skipped.values()):,} stored records are no documents: {', '.join(parts)}"
