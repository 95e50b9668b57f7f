"""The page: gathers what each section shows and fills the template.

Text of the corpus can hold anything. Every text that the template prints is made visible (see
`flows.visible`) and escaped; only the charts, which this package draws itself, are markup.
"""

import shlex
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from flows.database.shard_views import open_database
from flows.database.stored_tables import list_bins
from flows.explain.reasons import list_meanings
from flows.report.charts.histograms import histogram
from flows.report.corpus.copies import count_clusters, read_clusters, read_passages
from flows.report.corpus.excerpts import find_quarantined
from flows.report.corpus.items import PER_SET, read_items
from flows.report.corpus.rules import read_edges, read_overlap
from flows.report.headline import list_tiles
from flows.report.template import fill_page
from flows.report.tokens.disputes import find_disputes
from flows.report.tokens.golden_examples import find_examples
from flows.report.tokens.heatmap import MARKED, OPEN, TOKENS, Glass, read_samples
from flows.report.tokens.scales import read_distributions, scale_signals, scale_weights
from flows.report.tokens.sidecars import read_vocabulary
from flows.report.tokens.token_sample import read_sample
from flows.report.tokens.token_texts import name_type
from flows.report.tokens.told_words import find_told_words
from flows.report.training.ablations import read_ablations
from flows.report.weights.frequency import read_frequency
from flows.report.weights.signals import list_spreads, read_correlations
from flows.report.weights.weighing import describe_weighing, find_key_tokens, take_census
from flows.run.funnel import (
    MEASURES,
    describe_languages,
    describe_left_out,
    describe_skipped,
    list_funnel,
)
from flows.run.remarks import list_remarks
from weighting.contracts.counts import SplitCounts
from weighting.contracts.manifest import Manifest, read_manifest
from weighting.signals.registry import SIGNALS, list_known
from weighting.storage.files import write_text

NAME = "report.html"
SOURCES = 20  # the others are counted, not listed
INPUTS = 50  # likewise
REMARK_NAMES = 8  # that a remark lists; one with more is folded
TYPES = 15  # token types in the lists of the heaviest and the lightest


def write_report(run: Path) -> Path:
    """Write RUN/report.html, whole or not at all, and return its path.

    Raises:
        AssayError: the run has no manifest, or another program is writing to its database.
    """
    manifest = read_manifest(run)
    with open_database(run) as connection:
        page = fill_page(gather(connection, run, manifest))
    write_text(run / NAME, page)
    return run / NAME


def gather(connection: duckdb.DuckDBPyConnection, run: Path, manifest: Manifest) -> dict[str, Any]:
    """Return what the template shows, by section."""
    from pipelines.rules.registry import describe_rule  # the kernels of all rules: slow to import

    counts = manifest.counts
    errors = _query(connection, "FROM quarantine_errors")
    sources = _query(connection, "FROM source_mass")
    reasons = _list_reasons(connection, manifest)
    return {
        "name": run.absolute().name,
        "shell_name": shlex.quote(run.absolute().name),
        "tiles": list_tiles(
            counts.weights.mass, reasons["golden"]["share"], reasons["golden"]["meaning"]
        ),
        "recipe_name": manifest.recipe.get("name", ""),
        "documents": counts.documents,
        "weight_mass": counts.weights.mass,
        "measures": MEASURES,
        "funnel": list(
            list_funnel(
                counts.documents,
                {row["kind"]: row for row in _query(connection, "FROM duplicates")},
                {row["error"]: row["records"] for row in errors},
            )
        ),
        **_look_at_remarks(manifest),
        "meanings": {rule: describe_rule(rule) for rule in counts.documents.rules},
        "errors": errors,
        "quarantined": dict(find_quarantined(connection, run)),
        "sources": sources[:SOURCES],
        "more_sources": len(sources[SOURCES:]),
        "ablations": read_ablations(run),
        "reasons": reasons.values(),
        **_look_at_copies(connection),
        **_look_at_weights(connection, manifest),
        **_look_at_tokens(connection, run, manifest),
        **_look_at_run(connection, manifest),
    }


def _look_at_remarks(manifest: Manifest) -> dict[str, Any]:
    """Return the lines under the funnel and under the rules."""
    documents = manifest.counts.documents
    return {
        "skipped": describe_skipped(documents.skipped),
        "remarks": list_remarks(manifest),
        "remark_names": REMARK_NAMES,
        "left_out": describe_left_out(documents.left_out),
        "languages": describe_languages(documents.languages),
    }


def _look_at_run(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> dict[str, Any]:
    """Return what the sections on time, memory and the facts of the run show."""
    return {
        "stages": _query(connection, "FROM stages"),
        "facts": _query(connection, "FROM facts WHERE key <> 'origin'"),
        "recipe": _query(connection, "FROM recipe"),
        "inputs": _query(connection, f"FROM inputs ORDER BY name LIMIT {INPUTS}"),
        "input_count": len(manifest.inputs),
    }


def _look_at_copies(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return what the sections on rules, copies and evaluation items show."""
    return {
        "rules": _query(connection, "FROM rule_cost"),
        "overlap": read_overlap(connection),
        "edges": read_edges(connection),
        "cluster_count": count_clusters(connection),
        "clusters": read_clusters(connection),
        "passages": read_passages(connection),
        "sets": _query(connection, "FROM contaminated_sets"),
        "items": read_items(connection),
        "items_shown": PER_SET,
    }


def _look_at_weights(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> dict[str, Any]:
    """Return what the sections on weights by split, bin and type show."""
    bins = _add_bins(manifest.counts.weights.splits)
    lightest = f"FROM heaviest_tokens ORDER BY mean_weight, token_id LIMIT {TYPES}"
    return {
        "splits": _query(connection, "FROM splits"),
        "mass": _query(connection, "FROM mass"),
        "histogram": histogram(bins) if any(n for low, _, n in bins if low > 0) else None,
        "lightest_bin": bins[0] if bins else None,
        "heaviest": _query(connection, f"FROM heaviest_tokens LIMIT {TYPES}"),
        "lightest": _query(connection, lightest),
    }


def _look_at_tokens(
    connection: duckdb.DuckDBPyConnection, run: Path, manifest: Manifest
) -> dict[str, Any]:
    """Return what the sections on signals and on single tokens show."""
    counts, eos_id = manifest.counts, manifest.tokenizer.eos_id
    vocabulary = read_vocabulary(connection, run, eos_id)
    distributions, golden = read_distributions(connection), counts.weights.weighing.golden
    stored = counts.signals.stored if any((run / "signals").glob("*.parquet")) else []
    told = {name: distributions[name] for name in list_known(stored) if name in distributions}
    scales = [scale_weights(), *scale_signals(told)]
    glass = Glass(vocabulary, scales, told, counts.signals.means.get("nll"))
    sample = read_sample(run, vocabulary)
    return {
        "weighing": describe_weighing(counts.weights.weighing, counts.signals.reference),
        "frequency": read_frequency(connection, eos_id),
        "spreads": list_spreads(connection, distributions),
        "correlations": read_correlations(connection),
        "census": take_census(connection),
        "examples": find_examples(sample, counts.weights.weighing, counts.signals.reference),
        "signal_names": list(SIGNALS),
        "keys": find_key_tokens(sample, counts.weights.weighing),
        "told": find_told_words(sample, vocabulary, list_meanings(golden)["golden"]),
        "disputes": list(find_disputes(sample, told, vocabulary)) if sample else [],
        "name_type": partial(name_type, vocabulary),
        "disputed_tokens": len(sample.ids_N) if sample else 0,
        "scales": scales,
        "marks": MARKED,
        "samples": read_samples(connection, run, glass, selected=bool(counts.weights.selection)),
        "samples_open": OPEN,
        "sample_tokens": TOKENS,
    }


def _query(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    result = connection.execute(sql)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _add_bins(splits: Mapping[str, SplitCounts]) -> list[tuple[float, float, int]]:
    """Return the weight histogram of all splits together."""
    by_split = [bins for bins in map(list_bins, splits.values()) if bins]
    return [
        (parts[0][0], parts[0][1], sum(tokens for *_, tokens in parts))
        for parts in zip(*by_split, strict=True)
    ]


def _list_reasons(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest
) -> dict[str, dict[str, Any]]:
    """Return every flag with its meaning and, where tokens carry it, their number and mass."""
    rows = _query(
        connection,
        "SELECT reason, sum(tokens)::BIGINT AS tokens, sum(weight_mass) AS weight_mass"
        " FROM reasons GROUP BY reason",
    )
    weights = manifest.counts.weights
    whole = sum(split.tokens for split in weights.splits.values())
    found = {row["reason"]: {**row, "share": row["tokens"] / whole} for row in rows if whole}
    nothing = {"tokens": 0, "weight_mass": 0.0, "share": 0.0}
    return {
        name: {**nothing, **found.get(name, {}), "reason": name, "meaning": meaning}
        for name, meaning in list_meanings(weights.weighing.golden).items()
    }
