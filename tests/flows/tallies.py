"""The counts of a run of tests: what the manifest says, and RUN/stats."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.flows.stories import EOS, RULES, SPLITS, VOCAB, Doc, Story
from tests.flows.tokens import Census, average
from weighting.contracts.counts import (
    Counts,
    DocumentCounts,
    Funnel,
    LanguageCounts,
    RuleCost,
    SelectionCounts,
    SignalFacts,
    SplitCounts,
    WeightCounts,
)
from weighting.contracts.documents import write_table
from weighting.contracts.reasons import Reason
from weighting.contracts.statistics import (
    DECILE_STATS,
    LEFT_OUT_STATS,
    REASON_STATS,
    RULE_OVERLAP,
    RULE_STATS,
    SIGNAL_CORRELATION,
    SIGNAL_HISTOGRAM,
    SIGNAL_STATS,
    SKIPPED_STATS,
    SOURCE_STATS,
    TRAJECTORY_STATS,
    TYPE_WEIGHTS,
    type_stats_schema,
)
from weighting.policies.effective_sample import tabulate_mass
from weighting.signals.registry import SIGNALS, tabulate_types
from weighting.signals.trajectory import CLASSES, classify

EDGES = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0]
REFERENCE = {
    "run": "runs/reference",
    "checkpoints": [{"step": 500, "sha256": "cd" * 32}, {"step": 1000, "sha256": "ef" * 32}],
    "context": 256,
    "short": 32,
    "parameters": 123_456,
    "precision": "float32",
    "trained_on": {"documents": 2, "tokens": 64},
}


def tally(run: Path, story: Story, census: Census) -> Counts:
    """Write RUN/stats and return the manifest's counts."""
    splits = {split: _count_split(census, split) for split in SPLITS}
    rules = {rule: _count_rule(rule, story.docs) for rule in RULES}
    mass_V = np.bincount(census.ids_N, census.weights_N, VOCAB).astype(np.float64)
    _write_stats(run, story, census, mass_V, rules)
    table = tabulate_mass(
        np.bincount(census.ids_N[census.chosen_N], minlength=VOCAB),
        mass_V,
        sum(split.squares for split in splits.values()),
        0,
        3.0,
    )
    rare = census.facts.rare_surprisal
    funnels = _count_funnels(story)
    return Counts(
        documents=DocumentCounts(
            records=funnels["records"],
            chars=funnels["chars"],
            tokens=funnels["tokens"],
            skipped=dict(story.skipped),
            left_out=dict(story.left_out),
            rules=rules,
            sets=dict(story.sets),
            encoders=["tokenizers"],
            languages=_count_languages(story),
        ),
        signals=SignalFacts(
            stored=list(story.signals),
            means=census.facts.means,
            rare_surprisal=rare if np.isfinite(rare) else None,
            reference=REFERENCE if "nll" in story.signals else None,
        ),
        weights=WeightCounts(
            splits=splits,
            mass=table,
            weighing=census.describe_weighing(),
            selection=_describe_selection(census) if story.left else None,
        ),
    )


def _describe_selection(census: Census) -> SelectionCounts:
    train_N = census.split_N == "train"
    kept = int((train_N & census.chosen_N).sum())
    documents = [doc.split for doc in census.docs.values()].count("train")
    return SelectionCounts(
        by="golden",
        tokens=kept,
        seed=0,
        kept_documents=documents - len(census.story.left),
        kept_tokens=kept,
        left_documents=len(census.story.left),
        left_tokens=int(train_N.sum()) - kept,
    )


def _count_split(census: Census, split: str) -> SplitCounts:
    weights = census.weights_N[census.chosen_N & (census.split_N == split)].astype(np.float64)
    bins, _ = np.histogram(weights, EDGES)
    left = census.story.left
    docs = [n for n, doc in census.docs.items() if doc.split == split and n not in left]
    return SplitCounts(
        documents=len(docs),
        tokens=len(weights),
        mass=float(weights.sum()),
        squares=float(weights @ weights),
        zeros=int((weights == 0).sum()),
        max=float(weights.max(initial=0)),
        histogram=bins.tolist() if docs else [0],
        histogram_edges=EDGES,
    )


def _count_rule(rule: str, docs: Sequence[Doc]) -> RuleCost:
    failing = [doc for doc in docs if rule in doc.failed]
    first = [doc for doc in failing if doc.rule == rule]
    alone = [doc for doc in failing if doc.failed == [rule]]
    return RuleCost(
        rule=rule,
        documents=len(first),
        chars=sum(len(doc.text) for doc in first),
        tokens=_tokens(first),
        alone_documents=len(alone),
        alone_tokens=_tokens(alone),
        failing_documents=len(failing),
        failing_tokens=_tokens(failing),
        valued_documents=len(docs),
    )


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


def _count_languages(story: Story) -> dict[str, LanguageCounts]:
    read: defaultdict[str, list[Doc]] = defaultdict(list)
    for doc in story.docs:
        if doc.judged_as:
            read[doc.judged_as].append(doc)
    return {
        language: LanguageCounts(len(docs), sum(doc.verdict == "kept" for doc in docs), 0, {})
        for language, docs in read.items()
    }


def _count_funnels(story: Story) -> dict[str, Funnel]:
    measures: dict[str, Counter[str]] = {name: Counter() for name in ("records", "chars", "tokens")}
    for doc in story.docs:
        measures["records"][doc.verdict] += 1
        measures["chars"][doc.verdict] += len(doc.text)
        measures["tokens"][doc.verdict] += len(doc.text.encode())
    measures["records"]["quarantined"] = len(story.bad)
    stages = ("kept", "dropped", "duplicate", "quarantined")
    return {
        name: Funnel(read=counts.total(), **{stage: counts[stage] for stage in stages})
        for name, counts in measures.items()
    }


def _write_stats(
    run: Path, story: Story, census: Census, mass_V: np.ndarray, rules: Mapping[str, RuleCost]
) -> None:
    left_out = [{"unit": 0, "reason": r, "fields": n} for r, n in story.left_out.items()]
    skipped = [{"unit": 0, "kind": kind, "records": n} for kind, n in story.skipped.items()]
    tables = [
        ("types", type_stats_schema(story.signals), _describe_types(census)),
        ("type_weights", TYPE_WEIGHTS, _weigh_types(census, mass_V)),
        ("signals", SIGNAL_STATS, _describe_signals(census)),
        ("signal_histogram", SIGNAL_HISTOGRAM, _bin_signals(census)),
        ("signal_correlation", SIGNAL_CORRELATION, _correlate_signals(census)),
        ("trajectories", TRAJECTORY_STATS, _count_trajectories(census)),
        ("deciles", DECILE_STATS, _count_deciles(census)),
        ("rules", RULE_STATS, [asdict(cost) for cost in rules.values()]),
        ("rule_overlap", RULE_OVERLAP, _count_pairs(story.docs)),
        ("skipped", SKIPPED_STATS, skipped),
        ("left_out", LEFT_OUT_STATS, left_out),
        ("sources", SOURCE_STATS, _count_sources(census)),
        ("reasons", REASON_STATS, _count_reasons(census)),
    ]
    for name, schema, rows in tables:
        table = pa.Table.from_pylist(rows, schema=schema)
        write_table(run / "stats" / f"{name}.parquet", table, schema)


def _describe_types(census: Census) -> list[dict[str, Any]]:
    return [
        {
            "token_id": i,
            "token": bytes([i]).decode("utf-8", "backslashreplace") if i < EOS else "<|endoftext|>",
            "count_train": int(census.counts_2V[0, i]),
            "count_validation": int(census.counts_2V[1, i]),
            "holders": int(census.types.holders_V[i]),
            "decile": int(census.deciles_V[i]) or None,
            **{name: float(values[i]) for name, values in tabulate_types(census.types).items()},
            **{
                f"mean_{name}": average(values, census.ids_N == i)
                for name, values in census.stored.items()
            },
        }
        for i in range(VOCAB)
    ]


def _weigh_types(census: Census, mass_V: np.ndarray) -> list[dict[str, Any]]:
    return [
        {
            "token_id": i,
            "weight_mass": float(mass_V[i]),
            "mean_weight": average(census.weights_N, census.ids_N == i),
        }
        for i in range(VOCAB)
    ]


def _describe_signals(census: Census) -> list[dict[str, Any]]:
    rows = []
    for (name, values), split in product(census.signals.items(), SPLITS):
        chosen = values[census.text_N & (census.split_N == split)].astype(np.float64)
        row: dict[str, str | float] = {
            "signal": name,
            "kind": SIGNALS[name].kind.value,
            "meaning": SIGNALS[name].meaning,
        }
        row |= {"split": split, "tokens": len(chosen)}
        if len(chosen):
            row |= {"mean": chosen.mean(), "sd": chosen.std()}
            row |= {"low": chosen.min(), "high": chosen.max()}
        rows.append(row)
    return rows


def _bin_signals(census: Census) -> list[dict[str, Any]]:
    rows = []
    for name, values in census.signals.items():
        bins, counts = np.unique(np.floor(values[census.text_N] * 8), return_counts=True)
        rows += [
            {"signal": name, "low": low, "high": low + 1 / 8, "tokens": int(tokens)}
            for low, tokens in zip(bins.astype(float) / 8, counts, strict=True)
        ]
    return rows


def _correlate_signals(census: Census) -> list[dict[str, Any]]:
    rows = []
    for one, two in product(census.signals, repeat=2):
        a, b = (census.signals[name][census.text_N].astype(np.float64) for name in (one, two))
        constant = len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0
        value = None if constant else float(np.corrcoef(a, b)[0, 1])
        rows.append({"signal": one, "other": two, "correlation": value})
    return rows


def _count_trajectories(census: Census) -> list[dict[str, Any]]:
    if "change" not in census.stored:
        return []
    mean_nll = census.facts.means["nll"] or 0.0
    classes_N = classify(census.stored["change"], census.stored["nll"], mean_nll)
    return [
        {"trajectory": name, "split": split, **_sum(census, chosen)}
        for (at, name), split in product(enumerate(CLASSES), SPLITS)
        if (chosen := census.text_N & (classes_N == at) & (census.split_N == split)).any()
    ]


def _count_deciles(census: Census) -> list[dict[str, Any]]:
    deciles_N = census.deciles_V[census.ids_N]
    return [
        {"source": source, "decile": decile, **_sum(census, chosen)}
        for source, decile in product(sorted(set(census.source_N)), range(1, 11))
        if (chosen := (census.source_N == source) & (deciles_N == decile)).any()
    ]


def _count_sources(census: Census) -> list[dict[str, Any]]:
    docs = [doc for number, doc in census.docs.items() if number not in census.story.left]
    groups = Counter((doc.source, doc.split) for doc in docs)
    return [
        {"source": source, "split": split, "documents": documents}
        | _sum(census, (census.source_N == source) & (census.split_N == split))
        for (source, split), documents in sorted(groups.items())
    ]


def _count_reasons(census: Census) -> list[dict[str, Any]]:
    return [
        {"reason": str(reason.name).lower(), "split": split, **_sum(census, chosen)}
        for reason, split in product(Reason, SPLITS)
        if (chosen := ((census.reasons_N & reason) > 0) & (census.split_N == split)).any()
    ]


def _sum(census: Census, chosen_N: np.ndarray) -> dict[str, Any]:
    chosen_N = chosen_N & census.chosen_N
    return {
        "tokens": int(chosen_N.sum()),
        "weight_mass": float(census.weights_N[chosen_N].sum(dtype=np.float64)),
    }
