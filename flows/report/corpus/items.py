"""Evaluation items found in documents: how many of each set, and some to be judged."""

from typing import NamedTuple

import duckdb

from flows.graphemes import find_border
from flows.report.corpus.excerpts import Excerpt

PER_SET = 8
LENGTH = 600  # characters of a question


class Item(NamedTuple):
    """An evaluation item and the document that holds it, to be read side by side.

    `score` and the shares say how much of the item the document holds: of all n-grams weighed, of
    the question's and of the answer's; None where there are none of a kind.
    """

    name: str
    score: float
    question_share: float | None
    answer_share: float | None
    question: str
    answer: str | None
    document: Excerpt


def read_items(connection: duckdb.DuckDBPyConnection) -> list[Item]:
    """Return items that were found, those of each set that are held best."""
    rows = connection.execute(
        f"""
        SELECT
            set || ' ' || item, score, question_share, answer_share, question, answer,
            source || ' · ' || locator, verdict, passage
        FROM contamination
        QUALIFY row_number() OVER (PARTITION BY set ORDER BY score DESC, item, doc_id) <= {PER_SET}
        ORDER BY set, score DESC, item, doc_id
        """
    ).fetchall()
    return [
        Item(name, score, asked, told, _cut(question), answer, Excerpt(origin, verdict, passage))
        for name, score, asked, told, question, answer, origin, verdict, passage in rows
    ]


def _cut(question: str) -> str:
    """Return the end of a long question: it stands beside the answer."""
    start = find_border(question, len(question) - LENGTH)
    return f"… {question[start:]}" if start else question
