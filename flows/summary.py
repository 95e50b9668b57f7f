"""The closing words of a run: what became of every record, and where the weight went."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows import catalog, report
from flows.catalog import open_catalog
from flows.funnel import UNITS, list_funnel
from flows.visible import show
from weighting.manifest import read_manifest
from weighting.mass import effective_share

NOTHING = "-"
STYLES = {"read": "bold", "kept": "bold"}

Counts = Mapping[str, Any]


def print_summary(run: Path, console: Console) -> None:
    """Print the funnel, the splits and the weighting.

    Raises:
        AssayError: the run has no manifest.
    """
    counts = read_manifest(run).counts
    with open_catalog(run) as connection:
        errors = connection.execute("FROM quarantine_errors").fetchall()
    console.print(_tabulate_funnel(counts, dict(errors)))
    console.print(_tabulate_splits(counts["splits"]))
    for line in _describe_mass(counts["mass"]):
        console.print(line, highlight=False)


def print_paths(run: Path, console: Console) -> None:
    """Print where report and database lie, those that there are."""
    for label, name in (("report", report.NAME), ("database", catalog.NAME)):
        if (run / name).exists():
            # One path, one line: a broken one cannot be copied.
            console.print(Text(f"{label:<9} {run / name}"), soft_wrap=True)


def _tabulate_funnel(counts: Counts, errors: Mapping[str, int]) -> Table:
    table = Table(
        title="What became of the records",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    table.add_column("", no_wrap=True)
    for name in ("records", "%", "characters", "%", "tokens", "%"):
        table.add_column(name, justify="right", no_wrap=True)
    read = {unit: counts["funnel"][unit]["read"] for unit in UNITS}
    for line in list_funnel(counts, errors):
        cells = [
            text
            for number, whole in ((line.counts.get(unit), read[unit]) for unit in UNITS)
            for text in (_format(number), _format_share(number, whole))
        ]
        indent = "  " if line.detail else ""
        table.add_row(Text(indent + show(line.label)), *cells, style=STYLES.get(line.kind, ""))
    return table


def _tabulate_splits(splits: Mapping[str, Counts]) -> Table:
    table = Table(title="\nToken shards", title_justify="left", title_style="bold", box=None)
    table.add_column("", no_wrap=True)
    for name in ("documents", "tokens", "weight mass", "mean weight", "effective sample"):
        table.add_column(name, justify="right", no_wrap=True)
    for split, numbers in splits.items():
        tokens, mass = numbers["tokens"], numbers["mass"]
        share = effective_share(mass, numbers["squares"], tokens) if tokens else None
        table.add_row(
            split,
            _format(numbers["documents"]),
            _format(tokens),
            f"{mass:,.1f}",
            f"{mass / tokens:.6f}" if tokens else NOTHING,
            NOTHING if share is None else f"{share:.1%}",
        )
    return table


def _describe_mass(mass: Mapping[str, float]) -> Iterator[str]:
    yield ""
    for label, part in (
        ("100 commonest token types", "top100"),
        ("rarest half of the types", "rarest_half"),
    ):
        tokens, weight = mass[f"{part}_tokens"], mass[f"{part}_mass"]
        yield f"{label}: {tokens:.1%} of the tokens, {weight:.1%} of the weight mass"
    zeros = f"{mass['zero_tokens']:.1%} of the tokens weigh 0"
    yield f"highest weight {mass['max_weight']:.2f}; {zeros}"


def _format(count: int | None) -> str:
    return NOTHING if count is None else f"{count:,}"


def _format_share(count: int | None, whole: int) -> str:
    return NOTHING if count is None or not whole else f"{count / whole:.1%}".removesuffix("%")
