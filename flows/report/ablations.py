"""What the ablations of a run showed: curves, a table, and the verdicts that the trainer gave."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from flows.database.origin import list_ablations
from flows.report.charts import COLOURS, Point, Series, lines
from trainer.compare.intervals import Interval
from trainer.compare.results import AblationResults, ArmResults, RunSummary, read_results
from trainer.run.metrics import Row, read_evaluations, read_metrics

POINTS = 150  # of a curve, at most
LEFT_OUT = 0.2  # of the steps: the steep beginning would flatten all that follows
# Column of the table: metric, heading, number format.
METRICS = (
    ("validation_nll", "validation loss, nats/token", ".4f"),
    ("bits_per_byte", "bits/byte", ".4f"),
    ("nll_low", "loss on rare tokens, nats", ".4f"),
    ("tokens_per_second", "tokens/s", ",.0f"),
)
ReadRows = Callable[[Path], Sequence[Row]]
# How rows of a run are read, the column drawn, and its title.
CURVES: tuple[tuple[ReadRows, str, str], ...] = (
    (read_metrics, "nll", "training loss, nats/token"),
    (read_evaluations, "validation_nll", "validation loss, nats/token"),
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
    results = read_results(path.parent)
    arms = results.arms
    shown = [row for row in METRICS if any(arm.find(row[0]) for arm in arms)]
    return Ablation(
        name=path.parent.name,
        tokens=results.tokens or 0,
        headings=[heading for _, heading, _ in shown],
        arms=[
            Arm(
                name=arm.name,
                colour=arm.colour % COLOURS,
                seeds=len(arm.runs),
                cells=[format_interval(arm.find(metric), form) for metric, _, form in shown],
                difference=format_interval(_find_difference(results, arm), "+.4f"),
            )
            for arm in arms
        ],
        charts=list(_draw(path.parent, arms)),
        verdicts=list(results.verdicts),
    )


def _find_difference(results: AblationResults, arm: ArmResults) -> Interval | None:
    pair = results.find_pair(arm.name, results.baseline)
    return pair.primary if pair else None


def format_interval(value: Interval | None, form: str) -> str:
    """Return mean ± half-width of the 95 % interval; the mean alone where one seed gives none."""
    if value is None:
        return "\N{EN DASH}"
    mean, half = value.mean, value.half_width_95
    text = f"{mean:{form}}".replace("-", "\N{MINUS SIGN}")
    return text if half is None else f"{text} ± {half:{form.removeprefix('+')}}"


def _draw(folder: Path, arms: Sequence[ArmResults]) -> Iterator[Markup]:
    for read, column, title in CURVES:
        series = [
            one
            for arm in arms
            for one in _draw_arm(
                folder / arm.name,
                arm.colour % COLOURS,
                _read_curves(folder / arm.name, arm.runs, read, column),
            )
        ]
        if any(one.points for one in series):
            yield lines(series, "step", title)


def _draw_arm(folder: Path, colour: int, curves: Mapping[int, Sequence[Point]]) -> Iterator[Series]:
    """Yield one thin line a seed and, over them, their mean."""
    name = folder.name
    for seed, curve in curves.items():
        yield Series(f"{name}, seed {seed}", list(curve), colour, thin=True)
    common = list(zip(*curves.values(), strict=False))
    mean = [(row[0][0], sum(y for _, y in row) / len(row)) for row in common]
    yield Series(f"{name}, mean of {len(curves)} seeds", mean, colour)


def _read_curves(
    folder: Path, runs: Sequence[RunSummary], read: ReadRows, column: str
) -> dict[int, list[Point]]:
    """Return the points of each seed's curve."""
    return {run.seed: _thin_out(read(folder / f"seed-{run.seed}"), column) for run in runs}


def _thin_out(rows: Sequence[Row], column: str) -> list[Point]:
    points = [(float(row.step), float(getattr(row, column))) for row in rows]
    kept = [point for point in points if point[0] >= LEFT_OUT * points[-1][0]]
    return kept[:: len(kept) // POINTS + 1]
