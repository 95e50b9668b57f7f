"""What was there more than once: copies of documents, and passages that several of them hold."""

from typing import NamedTuple

import duckdb

from flows.graphemes import find_border, shorten
from flows.report.corpus.excerpts import Excerpt

CLUSTERS, PASSAGES = 6, 12
LENGTH = 300  # characters of a text
BEFORE = 100  # of them are before the first difference
COMPARED = 20_000  # characters in which a difference is looked for


class Cluster(NamedTuple):
    """Copies of one document: the one that stays, and the one that is least like it."""

    documents: int
    similarity: float  # of those two
    survivor: Excerpt
    copy: Excerpt


class Passage(NamedTuple):
    """A passage that `documents` kept documents hold."""

    kind: str
    documents: int
    chars: int
    text: str


def count_clusters(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of clusters of copies."""
    row = connection.execute("SELECT count(DISTINCT cluster) FROM ledger").fetchone()
    return int(row[0]) if row else 0


def read_clusters(connection: duckdb.DuckDBPyConnection) -> list[Cluster]:
    """Return the largest clusters; a survivor that is in an earlier run has no text here."""
    rows = connection.execute(
        f"""
        WITH large AS (
            SELECT
                cluster, survivor, count(*) AS size,
                min({{'similarity': similarity, 'doc_id': doc_id}})
                    FILTER (verdict = 'duplicate') AS least
            FROM ledger WHERE cluster IS NOT NULL
            GROUP BY cluster, survivor ORDER BY size DESC, cluster LIMIT {CLUSTERS}
        ),
        texts AS (
            SELECT doc_id, source || ' · ' || locator AS origin, left(text, {COMPARED}) AS text
            FROM (FROM documents UNION ALL FROM dropped)
            WHERE doc_id IN (SELECT unnest([survivor, least.doc_id]) FROM large)
        )
        SELECT size, least.similarity, survivor, one.origin, one.text, other.origin, other.text
        FROM large
        JOIN texts AS other ON other.doc_id = least.doc_id
        LEFT JOIN texts AS one ON one.doc_id = survivor AND survivor <> least.doc_id
        ORDER BY size DESC, cluster
        """
    ).fetchall()
    return [_make_cluster(*row) for row in rows]


def _make_cluster(
    size: int,
    similarity: float,
    survivor: str,
    origin: str | None,
    text: str | None,
    other_origin: str,
    other_text: str,
) -> Cluster:
    if origin is None or text is None:
        stays = Excerpt(survivor, "in an earlier run", "")
        copy = Excerpt(other_origin, "duplicate", shorten(other_text, LENGTH))
        return Cluster(size, similarity, stays, copy)
    here, there = _cut_alike(text, other_text)
    stays, copy = Excerpt(origin, "kept", here), Excerpt(other_origin, "duplicate", there)
    return Cluster(size, similarity, stays, copy)


def _cut_alike(one: str, other: str) -> tuple[str, str]:
    """Return a part of both texts, from a little before they begin to differ."""
    differences = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    same = next(differences, min(len(one), len(other)))
    start = 0 if one == other else find_border(one, same - BEFORE)
    cut = [f"{'… ' * (start > 0)}{shorten(text[start:], LENGTH)}" for text in (one, other)]
    return cut[0], cut[1]


def read_passages(connection: duckdb.DuckDBPyConnection) -> list[Passage]:
    """Return the passages that fill most characters, one of each kind and number of documents."""
    rows = connection.execute(
        f"""
        WITH pieces AS (SELECT doc_id, unnest(passages, recursive := true) FROM documents),
        longest AS (
            SELECT
                kind, pieces.documents AS holders,
                max({{'chars': "end" - start, 'doc_id': doc_id, 'start': start}}) AS place
            FROM pieces GROUP BY kind, holders
        ),
        common AS (
            FROM longest
            ORDER BY holders * place.chars DESC, holders DESC, kind LIMIT {PASSAGES}
        )
        SELECT kind, holders, place.chars, substring(text, place.start + 1, place.chars)
        FROM common JOIN documents ON documents.doc_id = place.doc_id
        ORDER BY holders * place.chars DESC, holders DESC, kind
        """
    ).fetchall()
    return [Passage(kind, holders, chars, _squeeze(text)) for kind, holders, chars, text in rows]


def _squeeze(text: str) -> str:
    """Return the beginning of a text on one line."""
    return shorten(" ".join(text.split()), LENGTH)
