"""The stored tables of the database: their schemas, and rows from manifest and ablations."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from flows.database.origin import hash_manifest, hash_origin, list_ablations
from flows.recipe.language_bounds import list_language_bounds
from flows.run.funnel import MEASURES, STAGES
from trainer.compare.results import read_results
from weighting.contracts.counts import SplitCounts, WeighingFacts
from weighting.contracts.documents import Row
from weighting.contracts.manifest import Manifest
from weighting.contracts.timings import Timings
from weighting.policies.effective_sample import effective_share
from weighting.storage.json_records import to_json

TABLES: Mapping[str, pa.Schema] = {
    "facts": pa.schema({"key": pa.string(), "value": pa.string()}),
    "recipe": pa.schema({"key": pa.string(), "value": pa.string()}),
    "language_bounds": pa.schema(
        {
            "language": pa.string(),
            "rule": pa.string(),
            "min": pa.float64(),
            "max": pa.float64(),
        }
    ),
    "inputs": pa.schema({"name": pa.string(), "size": pa.int64(), "hash": pa.string()}),
    "files": pa.schema(
        {
            "path": pa.string(),
            "sha256": pa.string(),
            "rows": pa.int64(),
            "tokens": pa.int64(),
            "weight_mass": pa.float64(),
        }
    ),
    "funnel": pa.schema({"unit": pa.string(), "stage": pa.string(), "count": pa.int64()}),
    "splits": pa.schema(
        {
            "split": pa.string(),
            "documents": pa.int64(),
            "tokens": pa.int64(),
            "weight_mass": pa.float64(),
            "effective_share": pa.float64(),
            "zero_tokens": pa.int64(),
            "max_weight": pa.float64(),
        }
    ),
    "weighing": pa.schema(
        {
            "split": pa.string(),
            "policy": pa.string(),
            "golden": pa.string(),
            "mean": pa.float64(),
            "mix": pa.float64(),
            "divisor": pa.float64(),
            "effective": pa.float64(),
            "cuts": pa.string(),
            "params": pa.string(),
        }
    ),
    "weight_histogram": pa.schema(
        {
            "split": pa.string(),
            "low": pa.float64(),
            "high": pa.float64(),
            "tokens": pa.int64(),
        }
    ),
    "mass": pa.schema(
        {"part": pa.string(), "token_share": pa.float64(), "mass_share": pa.float64()}
    ),
    "evaluation_sets": pa.schema({"set": pa.string(), "items": pa.int64(), "hidden": pa.int64()}),
    "stages": pa.schema(
        {
            "stage": pa.string(),
            "attempts": pa.int64(),
            "seconds": pa.float64(),
            "mb_per_second": pa.float64(),
            "peak_memory": pa.int64(),
            "bytes_read": pa.int64(),
            "bytes_written": pa.int64(),
            "disk": pa.int64(),
        }
    ),
    "ablations": pa.schema(
        {
            "ablation": pa.string(),
            "arm": pa.string(),
            "seed": pa.int64(),
            "metric": pa.string(),
            "value": pa.float64(),
        }
    ),
}


def describe_run(run: Path, manifest: Manifest) -> dict[str, Iterable[Row]]:
    """Return the rows of TABLES."""
    documents, weights = manifest.counts.documents, manifest.counts.weights
    mass = weights.mass
    return {
        "facts": _list_facts(run, manifest),
        "recipe": flatten(manifest.recipe),
        "language_bounds": _list_language_bounds(manifest),
        "inputs": [(item.name, item.size, item.hash) for item in manifest.inputs],
        "files": [(f.path, f.sha256, f.rows, f.tokens, f.weight_mass) for f in manifest.files],
        "funnel": [
            (measure, stage, getattr(documents.funnels[measure], stage))
            for measure in MEASURES
            for stage in STAGES
        ],
        "splits": [_describe_split(split, numbers) for split, numbers in weights.splits.items()],
        "weighing": list(_list_scales(weights.weighing)),
        "weight_histogram": [
            (split, low, high, tokens)
            for split, numbers in weights.splits.items()
            for low, high, tokens in list_bins(numbers)
        ],
        "mass": [
            ("top10", mass.top10_tokens, mass.top10_mass),
            ("top100", mass.top100_tokens, mass.top100_mass),
            ("rarest_half", mass.rarest_half_tokens, mass.rarest_half_mass),
        ],
        "evaluation_sets": [
            (name, found.items, found.hidden) for name, found in documents.sets.items()
        ],
        "stages": list(_list_stages(manifest.timings)),
        "ablations": _list_metrics(run),
    }


def _list_language_bounds(manifest: Manifest) -> Iterator[Row]:
    """Yield (language, rule, min, max) of the languages that the run has documents of."""
    bounds = list_language_bounds(manifest.recipe)
    for language in sorted(manifest.counts.documents.languages.keys() & bounds.keys()):
        for rule, (low, high) in bounds[language].items():
            yield language, rule, low, high


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """Yield (dotted key, value) of every leaf: text and None as they are, all else as JSON."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            plain = value is None or isinstance(value, str)
            yield f"{prefix}{key}", value if plain else _dump(value)


def list_bins(split: SplitCounts) -> list[tuple[float, float, int]]:
    """Return (low, high, tokens) of every bin of a split's weight histogram."""
    edges = split.histogram_edges
    if not split.documents:  # nothing was binned
        return []
    return list(zip(edges[:-1], edges[1:], split.histogram, strict=True))


def _list_facts(run: Path, manifest: Manifest) -> Iterator[tuple[str, str | None]]:
    counts = manifest.counts
    mass, signals = counts.weights.mass, to_json(counts.signals)
    reference = signals.pop("reference")
    yield "origin", hash_origin(run)
    yield "manifest.sha256", hash_manifest(run)
    yield from flatten({"versions": manifest.versions, "tokenizer": to_json(manifest.tokenizer)})
    yield "tokenizer.encoders", _dump(counts.documents.encoders)
    yield from flatten({"signals": signals, "reference": reference})
    yield from flatten({"selection": to_json(counts.weights.selection)})
    yield "extensions", _dump(to_json(manifest.extensions))
    yield "manifest_version", str(manifest.manifest_version)
    timings = manifest.timings
    yield from (("began", timings.began), ("ended", timings.ended), ("host", timings.host))
    yield "command", shlex.join(timings.command)
    yield "text_bytes", str(timings.text)
    yield "weights.effective_share", str(mass.effective_share)
    yield "weights.zero_share", str(mass.zero_tokens)
    yield "weights.max", str(mass.max_weight)


def _list_stages(timings: Timings) -> Iterator[Row]:
    for stage, timing in timings.list_stages():
        rate = timings.text / timing.seconds / 1e6 if timing.seconds else None
        moved = (timing.read, timing.written)
        yield (
            stage,
            len(timing.attempts),
            timing.seconds,
            rate,
            timing.memory,
            *moved,
            timing.disk,
        )


def _describe_split(split: str, counts: SplitCounts) -> Row:
    tokens, mass = counts.tokens, counts.mass
    share = effective_share(mass, counts.squares, tokens) if tokens else None
    return (split, counts.documents, tokens, mass, share, counts.zeros, counts.max)


def _list_scales(weighing: WeighingFacts) -> Iterator[Row]:
    params = _dump(weighing.params)
    for split, scale in weighing.splits.items():
        numbers = (scale.mean, scale.mix, scale.divisor, scale.effective)
        yield split, weighing.policy, weighing.golden, *numbers, _dump(scale.cuts), params


def _list_metrics(run: Path) -> Iterator[Row]:
    for path in list_ablations(run):
        for arm in read_results(path.parent).arms:
            for result in map(to_json, arm.runs):
                for metric, value in result.items():
                    if metric != "seed" and isinstance(value, int | float):
                        yield path.parent.name, arm.name, result["seed"], metric, float(value)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
