"""The tables of docs/rules.md, from the rules' records.

    python -m pipelines.rules.table docs/rules.md

rewrites the table behind every mark `<!-- rules: FAMILY -->` of a page.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from pipelines.rules.families import contamination
from pipelines.rules.registry import OWN
from pipelines.rules.rule import Rule

MARK = re.compile(
    r"(<!-- rules: (\w+) -->\n)(?:\n(?:Source: [^\n]*\n\n)?\|.*?\n(?=\n))?", re.DOTALL
)


def fill_page(page: str) -> str:
    """Return a page of Markdown with the table of its family behind every mark."""
    tables = {name: family.rules for name, family in OWN.items()}
    tables[contamination.NAME] = contamination.RULES
    return MARK.sub(lambda mark: f"{mark[1]}\n{tabulate(tables[mark[2]])}", page)


def tabulate(rules: Mapping[str, Rule]) -> str:
    """Return a table of Markdown, a line for each rule; above it a source that all have."""
    sources = {rule.source for rule in rules.values()}
    shared = len(sources) == 1
    head = ("rule", "value", "published", *(() if shared else ("source",)))
    lines = [
        head,
        ["---"] * len(head),
        *(_list_cells(*pair)[: len(head)] for pair in rules.items()),
    ]
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    return f"Source: {sources.pop()}.\n\n{table}" if shared else table


def _list_cells(name: str, rule: Rule) -> tuple[str, ...]:
    asks = f"; no value in a language without {rule.asks}" if rule.asks else ""
    bounds = str(rule.bounds) if any(bound is not None for bound in rule.bounds) else "-"
    return f"`{name}`", f"{rule.meaning}{asks}".replace("|", "\\|"), bounds, rule.source


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(fill_page(path.read_text(encoding="utf-8")), encoding="utf-8")
