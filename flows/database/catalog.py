"""RUN/assay.duckdb: small tables and views over all that a run wrote, for any DuckDB shell.

The tables are stored. The views read the run's Parquet files where the run lay when the catalog was
built, or where the session variable `run` says that it lies now; `open_catalog` sets it, so that a
run can move. Shards are Arrow files, which DuckDB cannot read by itself: `flows.database.query`
adds them.
"""

import glob
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from flows.run.funnel import MEASURES, STAGES
from weighting.contracts.counts import SplitCounts, WeighingFacts
from weighting.contracts.documents import tabulate_rows
from weighting.contracts.manifest import MANIFEST_NAME, Manifest, read_manifest
from weighting.errors import AssayError
from weighting.policies.effective_sample import effective_share
from weighting.signals.registry import SIGNALS, list_of_types, list_origins
from weighting.signals.trajectory import OTHERWISE, TRAJECTORIES, list_rules
from weighting.storage.files import read_json, replacing
from weighting.storage.json_records import to_json

NAME = "assay.duckdb"
FOLDERS = ("contamination", "documents", "dropped", "ledger", "quarantine", "signals")
EDGE = 5  # documents on either side of a rule's bound that are stored
STORAGE = "v1.1.0"  # the oldest DuckDB that knows what the views use, so that older shells open it
# A catalog never fetches anything, and a query sees no variables of the program that runs it.
SETTINGS: Mapping[str, str] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}

# The tables that come from the manifest and the ablations.
TABLES: Mapping[str, pa.Schema] = {
    "facts": pa.schema({"key": pa.string(), "value": pa.string()}),
    "recipe": pa.schema({"key": pa.string(), "value": pa.string()}),
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

Row = tuple[Any, ...]


def build_catalog(run: Path) -> Path:
    """Write RUN/assay.duckdb, whole or not at all, and return its path.

    Raises:
        AssayError: the run has no manifest, or DuckDB cannot read a file or write the database.
    """
    manifest = read_manifest(run)
    rows, script = describe_run(run, manifest), _render_script(run, manifest)
    path = run / NAME
    with replacing(path) as temporary:
        temporary.unlink(missing_ok=True)  # from a process of this number that was killed
        _write(temporary, run, rows, script)
    # Left by a shell that was killed while it wrote to the catalog that was here before.
    _log_of(path).unlink(missing_ok=True)
    return path


@contextmanager
def open_catalog(run: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalog of a run for reading; build it where it is missing or out of date.

    Raises:
        AssayError: the run has no manifest, or another program is writing to the database.
    """
    read_manifest(run)
    path = run / NAME
    connection = _connect(path if path.exists() else build_catalog(run))
    if _read_origin(connection) != hash_origin(run):
        connection.close()
        connection = _connect(build_catalog(run))
    with connection:
        connection.execute("SET VARIABLE run = ?", [glob.escape(str(run.absolute()))])
        yield connection


def hash_origin(run: Path) -> str:
    """Return a hash of all that the stored tables come from, the code of the tables included."""
    digest = hashlib.sha256(_read_script().encode())
    for path in (Path(__file__), run / MANIFEST_NAME, *list_ablations(run)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def list_ablations(run: Path) -> list[Path]:
    """Return RUN/ablations/NAME/results.json of every finished ablation, by name."""
    return sorted((run / "ablations").glob("*/results.json"))


def describe_run(run: Path, manifest: Manifest) -> dict[str, Iterable[Row]]:
    """Return the rows of TABLES."""
    documents, weights = manifest.counts.documents, manifest.counts.weights
    mass = weights.mass
    return {
        "facts": _list_facts(run, manifest),
        "recipe": flatten(manifest.recipe),
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
        "ablations": _list_metrics(run),
    }


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
    yield from flatten({"versions": manifest.versions, "tokenizer": to_json(manifest.tokenizer)})
    yield "tokenizer.encoders", _dump(counts.documents.encoders)
    yield from flatten({"signals": signals, "reference": reference})
    yield from flatten({"selection": to_json(counts.weights.selection)})
    yield "extensions", _dump(to_json(manifest.extensions))
    yield "manifest_version", str(manifest.manifest_version)
    yield "weights.effective_share", str(mass.effective_share)
    yield "weights.zero_share", str(mass.zero_tokens)
    yield "weights.max", str(mass.max_weight)


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
        for arm, summary in read_json(path)["arms"].items():
            for result in summary["runs"]:
                for metric, value in result.items():
                    if metric != "seed" and isinstance(value, int | float):
                        yield path.parent.name, arm, result["seed"], metric, float(value)


def _write(path: Path, run: Path, rows: Mapping[str, Iterable[Row]], script: str) -> None:
    try:
        with duckdb.connect(
            str(path), config={**SETTINGS, "storage_compatibility_version": STORAGE}
        ) as connection:
            for name, schema in TABLES.items():
                connection.register("given", tabulate_rows(rows[name], schema))
                connection.execute(f"CREATE TABLE {name} AS FROM given")
                connection.unregister("given")
            connection.execute(script)
    except duckdb.Error as error:
        raise AssayError(f"{run / NAME}: {_first_line(error)}") from None
    finally:
        _log_of(path).unlink(missing_ok=True)


def _render_script(run: Path, manifest: Manifest) -> str:
    from jinja2 import Environment, StrictUndefined  # not for `assay query`, which never builds

    environment = Environment(undefined=StrictUndefined, autoescape=False)
    environment.filters |= {"literal": _quote, "identifier": _name}
    rules, enforced = manifest.counts.documents.rules, manifest.recipe.get("rules", {})
    signals, facts = _list_signals(run, manifest), manifest.counts.signals
    mean_nll = facts.means.get("nll")
    return environment.from_string(_read_script()).render(
        here=glob.escape(str(run.absolute())),
        has={folder: any((run / folder).glob("*")) for folder in FOLDERS},
        rules={rule: _describe_rule(rule, **enforced.get(rule, {})) for rule in rules},
        enforced=[rule for rule in rules if rule in enforced],
        edge=EDGE,
        signals={name: SIGNALS[name] for name in signals},
        stored_signals=[name for name in facts.stored if name in SIGNALS],
        type_signals=[name for name in list_of_types() if name in signals],
        trajectories=_describe_trajectories(),
        trajectory_rules=[] if mean_nll is None else list_rules(mean_nll),
        otherwise=OTHERWISE,
        eos=manifest.tokenizer.eos_id,
    )


def _list_signals(run: Path, manifest: Manifest) -> list[str]:
    """Return the signals that the run has, and whose records are known here.

    A package that adds some may have come, or gone, since.
    """
    columns = pq.read_schema(run / "stats" / "types.parquet").names
    measured = {*manifest.counts.signals.stored, *columns}
    return [name for name in SIGNALS if measured.issuperset(list_origins(name))]


def _describe_trajectories() -> str:
    classes = "; ".join(f"{name} {losses}" for name, losses, *_ in TRAJECTORIES)
    return f"What its loss did over the checkpoints of the reference: {classes}"


def _describe_rule(name: str, min: float | None = None, max: float | None = None) -> str:
    from pipelines.rules.registry import describe_rule  # the kernels of all rules: slow to import

    bounds = {"at least": min, "at most": max}
    parts = [f"{words} {bound:g}" for words, bound in bounds.items() if bound is not None]
    kept = f"kept if {' and '.join(parts)}" if parts else "it drops nothing"
    meaning = f": {text}" if (text := describe_rule(name)) else ""
    return f"Value of the rule, null where it has none{meaning}; {kept}"


def _read_script() -> str:
    return (Path(__file__).parent / "catalog.sql.j2").read_text(encoding="utf-8")


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=True, config=dict(SETTINGS))
    except duckdb.Error as error:
        raise AssayError(f"{path}: {_first_line(error)}") from None


def _read_origin(connection: duckdb.DuckDBPyConnection) -> str | None:
    try:
        rows = connection.execute("SELECT value FROM facts WHERE key = 'origin'").fetchall()
    except duckdb.Error:  # a database of another making
        return None
    return str(rows[0][0]) if rows else None


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
