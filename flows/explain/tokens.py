"""The story of one token: its text and place, its type, its signals, its reasons, its weight."""

from collections import defaultdict
from typing import Any

import duckdb
import numpy as np

from flows.explain.arithmetic import Corpus, describe_weight, read_corpus, weigh_again
from flows.explain.reasons import word_reasons
from flows.explain.records import Kept, Record, fetch, read_kept
from flows.explain.sides import tell_golden
from flows.explain.telling import find_reach, tell_before
from flows.graphemes import cut_around
from weighting.contracts.documents import Verdict
from weighting.contracts.manifest import Manifest
from weighting.contracts.reasons import name_flags
from weighting.errors import AssayError
from weighting.signals.registry import SIGNALS, Signals
from weighting.signals.trajectory import CLASSES, classify
from weighting.storage.json_records import to_json

AROUND = 200  # characters of the text on either side

Bins = dict[str, list[tuple[float, float, int]]]


def describe_token(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, record: Record, position: int
) -> dict[str, Any]:
    """Return the story of the token at a position, from 0, of a kept document.

    Raises:
        AssayError: the document was not kept, or has no such token.
    """
    kept = read_kept(connection, record)
    if kept is None:
        raise AssayError(_tell_absent(record))
    if not 0 <= position < len(kept.ids_N):
        last = len(kept.ids_N) - 1
        raise AssayError(f"no token {position} in {record['doc_id']}; valid: 0 to {last}")
    corpus, told = read_corpus(connection, manifest), manifest.counts.weights.weighing
    flags = 0 if kept.reasons_N is None else int(kept.reasons_N[position])
    weighing = weigh_again(corpus, told, record, kept)
    return {
        **{name: record[name] for name in ("doc_id", "source", "locator", "split")},
        "position": position,
        "tokens": len(kept.ids_N),
        **locate(connection, kept, position, corpus.eos_id),
        "type": describe_type(connection, int(kept.ids_N[position])),
        "signals": list_signals(connection, corpus, kept, position),
        "trajectory": find_trajectory(corpus, kept, position),
        "reasons": name_flags(flags),
        "meanings": word_reasons(name_flags(flags), told.golden),
        "golden": explain_golden(manifest, corpus, record["split"], kept, position),
        "weight": to_json(describe_weight(weighing, told.policy, kept, position)),
    }


def locate(
    connection: duckdb.DuckDBPyConnection, kept: Kept, position: int, eos_id: int
) -> dict[str, Any]:
    """Return the text around a token, and its place in the text and in what was read.

    A token that is a part of a character has the place of all of it. Without a sidecar the place is
    not known.
    """
    if kept.starts_N is None:
        return {"context": None, "place": None}
    start = int(kept.starts_N[position])
    end = start
    if kept.ids_N[position] != eos_id:
        end = kept.find_end(position)
    sql = "SELECT source_start($1, $2) AS source_start, source_end($1, $3) AS source_end"
    (source,) = fetch(connection, sql, kept.edits, start, end)
    before, after = cut_around(kept.text, start, end, AROUND)
    context = {
        "before": before,
        "token": kept.text[start:end],
        "after": after,
        "more_before": start > len(before),
        "more_after": end + len(after) < len(kept.text),
    }
    return {"context": context, "place": {"start": start, "end": end, **source}}


def describe_type(connection: duckdb.DuckDBPyConnection, token_id: int) -> dict[str, Any]:
    """Return what was counted of a type, its rank by count among those that occur included."""
    sql = """
    SELECT
        token_id, token, count_train, count_validation, holders, decile, mean_weight,
        (SELECT count(*) FROM tokens AS other WHERE other.count_train > tokens.count_train) + 1
            AS rank,
        (SELECT count(*) FROM tokens WHERE count_train > 0) AS types,
        (SELECT sum(count_train) FROM tokens)::BIGINT AS tokens
    FROM tokens WHERE token_id = ?
    """
    (row,) = fetch(connection, sql, token_id)
    return row


def list_signals(
    connection: duckdb.DuckDBPyConnection, corpus: Corpus, kept: Kept, position: int
) -> list[dict[str, Any]]:
    """Return each signal's value, its mean over the train split, and the share of tokens below."""
    ids, stored = kept.ids_N[[position]], {k: v[[position]] for k, v in kept.stored.items()}
    bins: Bins = defaultdict(list)
    for name, *bin_ in connection.execute("FROM signal_histogram").fetchall():
        bins[name].append(tuple(bin_))
    rows = []
    for name, values in Signals(corpus.types, ids, stored).items():
        value = float(values[0])
        rows.append(
            {
                "name": name,
                "kind": SIGNALS[name].kind.value,
                "meaning": SIGNALS[name].meaning,
                "value": value,
                "mean": corpus.facts.means.get(name),
                "below": rank(value, bins[name]),
            }
        )
    return rows


def rank(value: float, bins: list[tuple[float, float, int]]) -> float | None:
    """Return the share of tokens below a value; within its bin they count as spread evenly."""
    if not bins:
        return None
    low, high, tokens = np.array(bins, np.float64).T
    parts = np.clip((value - low) / (high - low), 0.0, 1.0)
    return float((parts * tokens).sum() / tokens.sum())


def explain_golden(
    manifest: Manifest, corpus: Corpus, split: str, kept: Kept, position: int
) -> dict[str, Any] | None:
    """Return why a token is golden or not, and the text before it; None where nothing tells.

    That is without a sidecar, of the end of a text, and of a split that was not weighed.
    """
    if kept.starts_N is None or kept.ids_N[position] == corpus.eos_id:
        return None
    counts = manifest.counts
    signals = Signals(corpus.types, kept.ids_N, kept.stored)
    story = tell_golden(counts.weights.weighing, split, signals, position)
    if story is None:
        return None
    reach = find_reach(story.rule, counts.signals.reference)
    told = tell_before(kept.text, kept.starts_N, position, reach)
    before = [part._asdict() for part in told.before]
    return {**to_json(story), "near": reach.near, "mention": told.mention, "before": before}


def find_trajectory(corpus: Corpus, kept: Kept, position: int) -> str | None:
    """Return what the token's loss did over the reference's checkpoints, where that is known."""
    mean = corpus.facts.means.get("nll")
    if mean is None or "change" not in kept.stored or kept.ids_N[position] == corpus.eos_id:
        return None
    change, nll = (kept.stored[name][[position]] for name in ("change", "nll"))
    return CLASSES[int(classify(change, nll, mean)[0])]


def _tell_absent(record: Record) -> str:
    doc_id, verdict = record["doc_id"], record["verdict"]
    if verdict != Verdict.KEPT:
        return f"{doc_id} was not kept but {verdict}, so it has no tokens; explain it without one"
    return f"{doc_id} was not selected and the run keeps no signals, so nothing is known of it"
