"""What was published for languages other than English: stop words, and bounds of rules.

English has the stop words and bounds of the papers that the rules come from. Those of 173 other
languages are FineWeb-2's (arXiv 2506.20920; code and configs Apache-2.0), in fineweb2.tsv, which
`benchmarks/tabulate_languages.py` wrote. The stop words are the commonest words of each language,
as Gopher's are; the bounds were set on the values that its texts have.
"""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from pipelines.languages.writing import ENGLISH
from pipelines.rules.bounds import Bounds
from pipelines.rules.own_rules import STOP_WORDS

# What FineWeb-2 does in all of them: a higher bound, and a rule that is not used.
COMMON: Mapping[str, Bounds] = {
    "fineweb_dup_line_chars": Bounds(None, 0.1),
    "fineweb_short_lines": Bounds(),
}
UNPUBLISHED = ("eml", "sh")  # the languages of lid.176 that FineWeb-2 has no bounds for
TABLE = files("pipelines.languages") / "fineweb2.tsv"


class Published(NamedTuple):
    """What was published for a language."""

    stop_words: Sequence[str]
    bounds: Mapping[str, Bounds]  # by rule


@cache
def load_published() -> Mapping[str, Published]:
    """Return what was published for languages other than English, by ISO 639 code."""
    lines = TABLE.read_text(encoding="utf-8").split("\n")
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return {row["language"]: _read(row) for row in rows}


def list_known() -> set[str]:
    """Return the languages that fastText's lid.176 tells apart."""
    return {*load_published(), ENGLISH, *UNPUBLISHED}


def find_stop_words(language: str) -> Sequence[str]:
    """Return the stop words of a language; none where there is no list."""
    if language == ENGLISH:
        return STOP_WORDS
    known = load_published().get(language)
    return known.stop_words if known else ()


def _read(row: Mapping[str, str]) -> Published:
    """Return what a row says, whose columns are RULE.min and RULE.max."""
    low, high = (
        {name.removesuffix(end): float(row[name]) for name in row if name.endswith(end)}
        for end in (".min", ".max")
    )
    bounds = {rule: Bounds(low.get(rule), high.get(rule)) for rule in low | high}
    return Published(tuple(row["stop_words"].split()), {**bounds, **COMMON})
