"""What the ablations of a run showed: curves, a table, and the verdicts that the trainer gave."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from flows.database.catalog import list_ablations
from flows.report.charts import COLOURS, Point, WordHashes, lines
from trainer.run.metrics import read_rows
from weighting.storage.files import read_json

POINTS = 150  # of a curve, at most
LEFT_OUT = 0.2  # of the steps: the steep beginning would flatten all that follows
# Column of the table: metric, heading, number format.
METRICS = (
    ("validation_nll", "validation loss, nats/token", ".4f"),
    ("bits_per_byte", "bits/byte", ".4f"),
    ("nll_low", "loss on rare tokens, nats", ".4f"),
    ("tokens_per_second", "tokens/s", ",.0f"),
)
# Files of a run, the column drawn, and its title.
CURVES = (
    ("metrics.jsonl", "nll", "training loss, nats/token"),
    ("evaluations.jsonl", "validation_nll", "validation loss, nats/token"),
)


class Arm(NamedTuple):
    """One line of the table; `cells` and `difference` are formatted."""

    name: str
    colour: int
    seeds: int
    cells: list[str]
    difference: str


class Ablation(NamedTuple):
    """One ablation, ready to show."""

    name: str
    tokens: int
    headings: list[str]
    arms: list[Arm]
    charts: list[Markup]
    verdicts: list[str]


def read_ablations(run: Path) -> list[Ablation]:
    """Return every finished ablation of a run, by name."""
    return [_read(path) for path in list_ablations(run)]


def _read(path: Path) -> Ablation:
    results: Mapping[str, Any] = read_json(path)
    shown = [row for row in METRICS if any(row[0] in arm for arm in results["arms"].values())]
    arms = [
        Arm(
            name,
            colour % COLOURS,
            len(arm["runs"]),
            [format_interval(arm.get(metric), form) for metric, _, form in shown],
            format_interval(arm.get("difference", {}).get(METRICS[0][0]), "+.4f"),
        )
        for colour, (name, arm) in enumerate(results["arms"].items())
    ]
    return Ablation(
        path.parent.name,
        results["tokens"],
        [heading for _, heading, _ in shown],
        arms,
        list(_draw(path.parent, results["arms"])),
        list(results["verdicts"]),
    )


def format_interval(value: Mapping[str, Any] | None, form: str) -> str:
    """Return mean ± half-width of the 95 % interval; the mean alone where one seed gives none."""
    if value is None:
        return "\N{EN DASH}"
    mean, half = value["mean"], value["half_width_95"]
    text = f"{mean:{form}}".replace("-", "\N{MINUS SIGN}")
    return text if half is None else f"{text} ± {half:{form.removeprefix('+')}}"


def _draw(folder: Path, arms: Mapping[str, Any]) -> Iterator[Markup]:
    for file, column, title in CURVES:
        series = [
            one
            for colour, (name, arm) in enumerate(arms.items())
            for one in _draw_arm(folder / name, name, colour, arm["runs"], file, column)
        ]
        if any(one.points for one in series):
            yield lines(series, "step", title)


def _draw_arm(
    folder: Path, name: str, colour: int, runs: Sequence[Mapping[str, Any]], file: str, column: str
) -> Iterator[WordHashes]:
    """Yield one thin line a seed and, over them, their mean."""
    curves = [_thin_out(read_rows(folder / f"seed-{run['seed']}" / file), column) for run in runs]
    for run, curve in zip(runs, curves, strict=True):
        yield WordHashes(f"{name}, seed {run['seed']}", curve, colour, thin=True)
    common = list(zip(*curves, strict=False))
    mean = [(row[0][0], sum(y for _, y in row) / len(row)) for row in common]
    yield WordHashes(f"{name}, mean of {len(runs)} seeds", mean, colour)


def _thin_out(rows: Sequence[Mapping[str, Any]], column: str) -> list[Point]:
    points = [(float(row["step"]), float(row[column])) for row in rows]
    kept = [point for point in points if point[0] >= LEFT_OUT * points[-1][0]]
    return kept[:: len(kept) // POINTS + 1]
