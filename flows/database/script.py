"""The SQL that makes the database's views, written for one run: its signals, rules and files."""

from pathlib import Path

import pyarrow.parquet as pq
from jinja2 import Environment, StrictUndefined

from flows.database.origin import NAME
from pipelines.rules.registry import describe_rule
from pipelines.settings import NearSettings
from weighting.contracts.manifest import Manifest
from weighting.signals.registry import SIGNALS, list_of_types, list_origins
from weighting.signals.trajectory import OTHERWISE, TRAJECTORIES, list_rules

TEMPLATE = Path(__file__).parent / "catalog.sql.j2"
FOLDERS = ("contamination", "documents", "dropped", "ledger", "quarantine", "signals")
# What is told to who opens the database where its run is not.
LOST = f"where is the run of this {NAME}? Say SET VARIABLE run = 'its folder'"
FOREIGN = f" does not hold the run of this {NAME}: say SET VARIABLE run = 'its folder'"
EDGE = 5  # documents on either side of a rule's bound that are stored


def render_script(run: Path, manifest: Manifest) -> str:
    """Return the script."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)
    environment.filters |= {"literal": _quote, "identifier": _name}
    rules, enforced = manifest.counts.documents.rules, manifest.recipe.get("rules", {})
    signals, facts = _list_signals(run, manifest), manifest.counts.signals
    mean_nll = facts.means.get("nll")
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        name=NAME,
        lost=LOST,
        foreign=FOREIGN,
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
        jaccard=manifest.recipe.get("dedupe", {}).get("jaccard", NearSettings().jaccard),
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
    bounds = {"at least": min, "at most": max}
    parts = [f"{words} {bound:g}" for words, bound in bounds.items() if bound is not None]
    kept = f"kept if {' and '.join(parts)}" if parts else "it drops nothing"
    meaning = f": {text}" if (text := describe_rule(name)) else ""
    return f"Value of the rule, null where it has none{meaning}; {kept}"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
