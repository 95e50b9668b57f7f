"""The counts of a run of tests: what the manifest says, and RUN/stats."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.flows.stories import EOS, RULES, SPLITS, VOCAB, Doc, Story, encode, weigh
from weighting.documents import write_table
from weighting.mass import tabulate_mass
from weighting.statistics import (
    REASON_STATS,
    RULE_OVERLAP,
    RULE_STATS,
    SKIPPED_STATS,
    SOURCE_STATS,
    TOKEN_STATS,
)

EDGES = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0]


def tally(run: Path, story: Story) -> dict[str, Any]:
    """Write RUN/stats and return the manifest's counts."""
    kept = [doc for doc in story.docs if doc.verdict == "kept"]
    types, mass = np.zeros((2, VOCAB), np.int64), np.zeros(VOCAB)
    for doc in kept:
        ids = np.array(encode(doc.text))
        np.add.at(types[SPLITS.index(doc.split)], ids, 1)
        np.add.at(mass, ids, weigh(ids))
    splits = {split: _count_split([doc for doc in kept if doc.split == split]) for split in SPLITS}
    rules = [_count_rule(rule, story.docs) for rule in RULES]
    _write_stats(run, types, mass, rules, story)
    table = tabulate_mass(
        types.sum(axis=0), mass, sum(s["squares"] for s in splits.values()), 0, 3.0
    )
    return {
        "funnel": _count_funnel(story),
        "skipped": dict(story.skipped),
        "rules": {row["rule"]: row for row in rules},
        "splits": splits,
        "mass": asdict(table),
        "facts": {"entropy": 3.5, "rare_surprisal": None},
        "encoders": ["tokenizers"],
        "sets": dict(story.sets),
    }


def _count_split(docs: Sequence[Doc]) -> dict[str, Any]:
    weights = np.concatenate([weigh(encode(doc.text)) for doc in docs] or [np.empty(0)])
    bins, _ = np.histogram(weights, EDGES)
    return {
        "documents": len(docs),
        "tokens": len(weights),
        "mass": float(weights.sum()),
        "squares": float(weights @ weights),
        "zeros": 0,
        "max": float(weights.max(initial=0)),
        "histogram": bins.tolist() if docs else [0],
        "histogram_edges": EDGES,
    }


def _count_rule(rule: str, docs: Sequence[Doc]) -> dict[str, Any]:
    failing = [doc for doc in docs if rule in doc.failed]
    first = [doc for doc in failing if doc.rule == rule]
    alone = [doc for doc in failing if doc.failed == [rule]]
    chars = sum(len(doc.text) for doc in first)
    row = {"rule": rule, "documents": len(first), "chars": chars, "tokens": _tokens(first)}
    row |= {"alone_documents": len(alone), "alone_tokens": _tokens(alone)}
    return row | {"failing_documents": len(failing), "failing_tokens": _tokens(failing)}


def _tokens(docs: Sequence[Doc]) -> int:
    return sum(len(doc.text.encode()) for doc in docs)


def _count_pairs(docs: Sequence[Doc]) -> list[dict[str, Any]]:
    pairs = [(one, two, doc) for doc in docs for one in doc.failed for two in doc.failed]
    names = sorted({pair[:2] for pair in pairs})
    found = {name: [doc for *both, doc in pairs if tuple(both) == name] for name in names}
    return [
        {"rule": one, "other": two, "documents": len(docs), "tokens": _tokens(docs)}
        for (one, two), docs in found.items()
    ]


def _count_funnel(story: Story) -> dict[str, dict[str, int]]:
    units: dict[str, Counter[str]] = {unit: Counter() for unit in ("records", "chars", "tokens")}
    for doc in story.docs:
        units["records"][doc.verdict] += 1
        units["chars"][doc.verdict] += len(doc.text)
        units["tokens"][doc.verdict] += len(doc.text.encode())
    units["records"]["quarantined"] = len(story.bad)
    stages = ("kept", "dropped", "duplicate", "quarantined")
    return {
        unit: {"read": counts.total(), **{stage: counts[stage] for stage in stages}}
        for unit, counts in units.items()
    }


def _write_stats(
    run: Path,
    types: np.ndarray,
    mass: np.ndarray,
    rules: Sequence[Mapping[str, Any]],
    story: Story,
) -> None:
    total = types.sum(axis=0)
    tokens = [
        {
            "token_id": i,
            "token": bytes([i]).decode("utf-8", "replace") if i < EOS else "<|endoftext|>",
            "count_train": int(types[0, i]),
            "count_validation": int(types[1, i]),
            "surprisal": float(-np.log((types[0, i] + 1) / (types[0].sum() + VOCAB))),
            "mean_gain": 0.5 if total[i] else None,
            "weight_mass": float(mass[i]),
            "mean_weight": float(mass[i] / total[i]) if total[i] else None,
        }
        for i in range(VOCAB)
    ]
    groups: dict[tuple[str, str], list[int]] = {}
    for doc in story.docs:
        if doc.verdict == "kept":
            groups.setdefault((doc.source, doc.split), []).append(len(encode(doc.text)))
    sources = [
        {
            "source": source,
            "split": split,
            "documents": len(lengths),
            "tokens": sum(lengths),
            "weight_mass": float(sum(lengths)),
        }
        for (source, split), lengths in sorted(groups.items())
    ]
    skipped = [{"unit": 0, "kind": kind, "records": n} for kind, n in story.skipped.items()]
    special = {"reason": "special", "split": "train", "tokens": 3, "weight_mass": 2.5}
    for name, schema, rows in (
        ("tokens", TOKEN_STATS, tokens),
        ("rules", RULE_STATS, [*rules]),
        ("rule_overlap", RULE_OVERLAP, _count_pairs(story.docs)),
        ("skipped", SKIPPED_STATS, skipped),
        ("sources", SOURCE_STATS, sources),
        ("reasons", REASON_STATS, [special]),
    ):
        table = pa.Table.from_pylist(rows, schema=schema)
        write_table(run / "stats" / f"{name}.parquet", table, schema)
