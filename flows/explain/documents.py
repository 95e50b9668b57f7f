"""The story of one record: where it came from, what became of it, and what its tokens weigh."""

from dataclasses import asdict
from typing import Any

import duckdb
import numpy as np

from flows.explain.records import Kept, Record, fetch, read_kept
from flows.graphemes import cut_around, find_border
from weighting.contracts.documents import Verdict
from weighting.contracts.manifest import Manifest
from weighting.contracts.reasons import Reason

EXTREMES = 5  # heaviest tokens that are listed, and lightest
AROUND = 30  # characters on either side of such a token
BEGINNING = 200  # characters of the text
HEAD = (
    *("doc_id", "source", "locator", "verdict", "split", "language", "judged_as"),
    *("chars_in", "chars", "tokens"),
)


def describe_document(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, record: Record
) -> dict[str, Any]:
    """Return the story of a record, whatever became of it."""
    kept = read_kept(connection, record)
    return {
        **{name: record[name] for name in HEAD},
        "input": find_input(manifest, record["locator"]),
        "rules": list_rules(connection, record),
        "copy": describe_copy(connection, record),
        "error": find_error(connection, record),
        "items": list_items(connection, record),
        "beginning": find_beginning(connection, record),
        "weights": describe_weights(manifest, record, kept),
    }


def find_input(manifest: Manifest, locator: str) -> dict[str, Any] | None:
    """Return name, size and hash of the input file that a locator begins with."""
    found = [item for item in manifest.inputs if locator.startswith(item.name)]
    return asdict(max(found, key=lambda item: len(item.name))) if found else None


def list_rules(connection: duckdb.DuckDBPyConnection, record: Record) -> list[dict[str, Any]]:
    """Return every rule that the record fails, with its value and bounds, the first one first.

    The bounds are those for the language that it was judged as.
    """
    failed = record["failed"] or []
    rows = fetch(
        connection,
        """
        SELECT rule, unnest(CASE WHEN own.rule IS NULL THEN {'min': rules.min, 'max': rules.max}
            ELSE {'min': own.min, 'max': own.max} END)
        FROM rule_cost AS rules
        LEFT JOIN (FROM language_bounds WHERE language = ?) AS own USING (rule)
        WHERE list_contains(?, rule)
        """,
        record["judged_as"],
        failed,
    )
    rows.sort(key=lambda row: (row["rule"] != record["rule"], failed.index(row["rule"])))
    return [{**row, "value": record[row["rule"]]} for row in rows]


def describe_copy(connection: duckdb.DuckDBPyConnection, record: Record) -> dict[str, Any] | None:
    """Return the copies' cluster and the one that stays; None of a document without copies."""
    if record["cluster"] is None:
        return None
    (cluster,) = fetch(
        connection,
        "SELECT documents, least_similarity FROM clusters WHERE cluster = ?",
        record["cluster"],
    )
    survivor = fetch(
        connection,
        "SELECT source, locator, verdict FROM ledger WHERE doc_id = ?",
        record["survivor"],
    )
    return {
        "survivor": record["survivor"],
        "itself": record["survivor"] == record["doc_id"],
        "similarity": record["similarity"],
        **cluster,
        **({"where": survivor[0]} if survivor else {"where": None}),
    }


def find_error(connection: duckdb.DuckDBPyConnection, record: Record) -> dict[str, Any] | None:
    """Return the error of a record that could not be read."""
    if record["verdict"] != Verdict.QUARANTINED:
        return None
    sql = "SELECT error, message, reader FROM quarantine WHERE locator = ? AND error = ?"
    rows = fetch(connection, sql, record["locator"], record["rule"])
    return rows[0] if rows else {"error": record["rule"], "message": None, "reader": None}


def list_items(connection: duckdb.DuckDBPyConnection, record: Record) -> list[dict[str, Any]]:
    """Return the evaluation items that the document holds, best held first."""
    sql = """
    SELECT set, item, score, passage FROM contamination
    WHERE doc_id = ? ORDER BY score DESC, set, item
    """
    return fetch(connection, sql, record["doc_id"])


def find_beginning(connection: duckdb.DuckDBPyConnection, record: Record) -> str | None:
    """Return the first characters of the text; None of what could not be read."""
    if record["verdict"] == Verdict.QUARANTINED:
        return None
    folder = "documents" if record["verdict"] == Verdict.KEPT else "dropped"
    # One more: only what follows tells whether a character ends there.
    sql = f"SELECT text[:{BEGINNING + 1}] AS text FROM {folder} WHERE doc_id = ?"
    texts = [str(row["text"]) for row in fetch(connection, sql, record["doc_id"])]
    return texts[0][: find_border(texts[0], BEGINNING)] if texts else None


def describe_weights(
    manifest: Manifest, record: Record, kept: Kept | None
) -> dict[str, Any] | None:
    """Return how the tokens of a kept document weigh; None where the document was not kept."""
    if record["verdict"] != Verdict.KEPT:
        return None
    weights = manifest.counts.weights
    selection = weights.selection
    story: dict[str, Any] = {
        "policy": weights.weighing.policy,
        "selection": selection and {"by": selection.by, "tokens": selection.tokens},
        "selected": kept is not None and kept.weights_N is not None,
    }
    if kept is None or kept.weights_N is None or kept.reasons_N is None:
        return story
    weights_N, text_N = kept.weights_N.astype(np.float64), (kept.reasons_N & Reason.SPECIAL) == 0
    order = np.argsort(-weights_N, kind="stable")
    order = order[text_N[order]]
    return {
        **story,
        "tokens": len(weights_N),
        "mass": float(weights_N.sum()),
        "mean": float(weights_N.mean()),
        "low": float(weights_N.min()),
        "high": float(weights_N.max()),
        "zeros": int((weights_N == 0).sum()),
        "reasons": {
            str(reason.name).lower(): count
            for reason in Reason
            if (count := int(((kept.reasons_N & reason) > 0).sum()))
        },
        "heaviest": [cite(kept, at) for at in order[:EXTREMES].tolist()],
        "lightest": [cite(kept, at) for at in order[::-1][:EXTREMES].tolist()],
    }


def cite(kept: Kept, position: int) -> dict[str, Any]:
    """Return a token's place and weight, and its text with what is around it."""
    assert kept.weights_N is not None
    quoted = {"position": position, "weight": float(kept.weights_N[position])}
    if kept.starts_N is None:
        return {**quoted, "token_id": int(kept.ids_N[position])}
    start = int(kept.starts_N[position])
    end = kept.find_end(position)
    before, after = cut_around(kept.text, start, end, AROUND)
    return {
        **quoted,
        "token_id": int(kept.ids_N[position]),
        "before": before,
        "token": kept.text[start:end],
        "after": after,
    }
