"""What rules do together and at their thresholds: the overlap matrix, documents on both sides."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from math import ceil
from typing import NamedTuple

import duckdb

from flows.graphemes import shorten
from flows.report.corpus.excerpts import Excerpt
from flows.report.figures import show_number
from flows.shares import format_share

LEVELS = 6  # shades of a cell, in the style sheet
SIDES = ("kept side", "dropped side")
PER_SIDE = 3
LENGTH = 300  # characters of a text


class Cell(NamedTuple):
    """One pair of rules: percentage, shade from 0 to LEVELS, and the numbers in words."""

    text: str
    level: int
    note: str


class Overlap(NamedTuple):
    """The rules that dropped something, and for each a row of cells in the same order."""

    rules: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


class Edge(NamedTuple):
    """A bound (`kind` min or max) and the documents nearest to it on each of SIDES."""

    rule: str
    kind: str
    bound: float
    sides: Sequence[tuple[str, Sequence[Excerpt]]]


def read_overlap(connection: duckdb.DuckDBPyConnection) -> Overlap:
    """Return the matrix of overlaps, the costliest rule first; empty for less than two rules."""
    found = connection.execute("SELECT rule, other, documents, tokens FROM rule_overlap").fetchall()
    pairs = {(rule, other): (documents, tokens) for rule, other, documents, tokens in found}
    own = {rule: tokens for (rule, other), (_, tokens) in pairs.items() if rule == other}
    rules = sorted(own, key=lambda rule: (-own[rule], rule))
    if len(rules) < 2:
        return Overlap([], [])
    return Overlap(
        rules, [(rule, [_compare(pairs, rule, other) for other in rules]) for rule in rules]
    )


def _compare(pairs: Mapping[tuple[str, str], tuple[int, int]], rule: str, other: str) -> Cell:
    documents, tokens = pairs.get((rule, other), (0, 0))
    if rule == other:
        return Cell("", 0, f"{rule}: {documents:,} documents, {tokens:,} tokens")
    share = tokens / (pairs[rule, rule][1] or 1)
    note = f"{rule} and {other}: {documents:,} documents, {tokens:,} tokens"
    return Cell(format_share(share, digits=0) if documents else "", ceil(share * LEVELS), note)


def read_edges(connection: duckdb.DuckDBPyConnection) -> list[Edge]:
    """Return the documents around every bound that drops something, by rule."""
    if not connection.execute(
        "SELECT 1 FROM duckdb_views() WHERE view_name = 'rule_edge'"
    ).fetchall():
        return []
    found = connection.execute(
        f"""
        SELECT rule, kind, bound, side, value, verdict, source, locator, left(text, {LENGTH} + 1)
        FROM rule_edge
        WHERE (rule, kind) IN (SELECT (rule, kind) FROM edges WHERE NOT passes)
        QUALIFY row_number() OVER (PARTITION BY rule, kind, side ORDER BY distance, doc_id)
            <= {PER_SIDE}
        ORDER BY rule, kind, side, distance, doc_id
        """
    ).fetchall()
    return [
        Edge(*bound, _split(list(rows)))
        for bound, rows in groupby(found, key=lambda row: (row[0], row[1], row[2]))
    ]


def _split(
    rows: Sequence[tuple[str, str, float, str, float, str, str, str, str]],
) -> list[tuple[str, list[Excerpt]]]:
    """Return the excerpts of each side."""
    sides: dict[str, list[Excerpt]] = {side: [] for side in SIDES}
    for *_, side, value, verdict, source, locator, text in rows:
        why = f"value {show_number(value)} · {verdict}"
        sides[side].append(Excerpt(f"{source} · {locator}", why, shorten(text, LENGTH)))
    return list(sides.items())
