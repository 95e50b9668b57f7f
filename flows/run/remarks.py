"""What a run was asked to look at and did not: rules and evaluation sets that did nothing.

Also the languages that rules mean nothing in, or were not set for. Silence would read as "nothing
was found".
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.languages.published import load_published
from pipelines.languages.writing import ENGLISH
from pipelines.rules.registry import RULES
from pipelines.settings import ContaminationSettings
from weighting.contracts.counts import DocumentCounts, LanguageCounts, RuleCost, SetCounts
from weighting.contracts.manifest import Manifest

SCORE = {"language_score"}  # whose bound is not English's
NAMED = 6  # languages in a line
NARROW = 0.5  # a rule that has a value of fewer documents than this share is spoken of


def list_remarks(manifest: Manifest) -> list[str]:
    """Return a line for each thing that did nothing, none where all did something."""
    documents, bounds = manifest.counts.documents, manifest.recipe.get("rules", {})
    enforced = [cost for name, cost in documents.rules.items() if name in bounds]
    languages = documents.languages
    return [
        *_describe_unasked(enforced, languages),
        *_describe_english(manifest.recipe, languages),
        *_describe_blind(enforced, documents),
        *_describe_idle(enforced),
        *_describe_hidden(documents.sets, manifest.recipe.get("decontaminate", {})),
    ]


def _describe_blind(enforced: Sequence[RuleCost], documents: DocumentCounts) -> Iterator[str]:
    """Yield a line for rules that looked at few documents, together where the reason is one."""
    judged = documents.records.read - documents.records.quarantined
    groups: dict[tuple[int, str], list[str]] = defaultdict(list)
    for cost in enforced:
        subject = RULES[cost.rule].subject if cost.rule in RULES else ""
        few = NARROW * judged if subject else 1
        if cost.valued_documents < few:
            lacking = subject or "anything that it measures"
            groups[cost.valued_documents, lacking].append(cost.rule)
    for (valued, lacking), names in groups.items():
        seen = (
            f"{valued:,} of {judged:,} documents; the others lack"
            if valued
            else "nothing; all lack"
        )
        yield f"{', '.join(names)} looked at {seen} {lacking}"


def _describe_unasked(
    enforced: Sequence[RuleCost], languages: Mapping[str, LanguageCounts]
) -> Iterator[str]:
    """Yield a line for each rule that means nothing in the languages of some documents."""
    for cost in enforced:
        lacking = RULES[cost.rule].asks if cost.rule in RULES else ""
        counts = {
            name: found.unvalued[cost.rule]
            for name, found in languages.items()
            if name != ENGLISH and cost.rule in found.unvalued
        }
        if lacking and counts:
            yield (
                f"{cost.rule} drops no document in a language without {lacking}; "
                f"{sum(counts.values()):,} have no value: {_list_counts(counts)}"
            )


def _describe_english(
    recipe: Mapping[str, Any], languages: Mapping[str, LanguageCounts]
) -> Iterator[str]:
    """Yield lines on documents that are judged by what was set for English."""
    options = recipe.get("rule_options", {})
    unknown = sum(found.unknown for found in languages.values())
    if unknown and not options.get("compat"):  # with which English is meant for all
        yield (
            f"{unknown:,} documents are in a language that is not known for sure: judged as English"
        )
    if options.get("language_bounds") is not None:
        return
    rules, own = recipe.get("rules", {}).keys(), recipe.get("languages", {})
    known = load_published()
    counts = {
        name: found.documents
        for name, found in languages.items()
        if name not in own and name in known and known[name].bounds.keys() & rules - SCORE
    }
    if counts:
        yield (
            f"{sum(counts.values()):,} documents are judged by bounds for English: "
            f'{_list_counts(counts)}; rule_options.language_bounds = "fineweb-2" takes those '
            "published for each"
        )


def _list_counts(counts: Mapping[str, int]) -> str:
    """Return names with numbers, the largest first, and how many more there are."""
    order = sorted(counts, key=lambda name: (-counts[name], name))
    parts = [f"{name} {counts[name]:,}" for name in order[:NAMED]]
    return ", ".join(parts) + (f" and {more} more" if (more := len(order) - NAMED) > 0 else "")


def _describe_idle(enforced: Sequence[RuleCost]) -> Iterator[str]:
    """Yield a line with the rules that had something to look at, and that no document failed."""
    names = [cost.rule for cost in enforced if cost.valued_documents and not cost.failing_documents]
    if names:
        yield f"rules that no document fails: {', '.join(names)}"


def _describe_hidden(sets: Mapping[str, SetCounts], table: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each evaluation set of which no item can be found.

    `table` is that of the recipe with the settings.
    """
    least = table.get("least_words", ContaminationSettings().least_words)
    shortest = ContaminationSettings(least_words=least).shortest
    for name, counts in sets.items():
        if counts.items and counts.hidden == counts.items:
            yield (
                f"evaluation set {name}: none of its {counts.items:,} items can be found; all are "
                f"shorter than decontaminate.least_words asks for: {shortest}"
            )
