"""What a run was asked to look at and did not: rules and evaluation sets that did nothing.

Silence would read as "nothing was found".
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.rules.registry import RULES
from pipelines.settings import ContaminationSettings
from weighting.contracts.counts import DocumentCounts, RuleCost, SetCounts
from weighting.contracts.manifest import Manifest

NARROW = 0.5  # a rule that has a value of fewer documents than this share is spoken of


def list_remarks(manifest: Manifest) -> list[str]:
    """Return a line for each thing that did nothing, none where all did something."""
    documents, bounds = manifest.counts.documents, manifest.recipe.get("rules", {})
    enforced = [cost for name, cost in documents.rules.items() if name in bounds]
    return [
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
