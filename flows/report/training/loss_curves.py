"""Loss curves of an ablation's arms: smooth enough to be told apart, the raw values behind them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

from markupsafe import Markup

from flows.report.charts.axes import Point
from flows.report.charts.line_charts import Series, lines
from trainer.compare.plan import find_run
from trainer.compare.results import ArmResults
from trainer.run.metrics import Row, read_evaluations, read_metrics

POINTS = 150  # of a curve, at most
LEFT_OUT = 0.2  # of the steps: the steep beginning would flatten all that follows
WINDOWS = 15  # of a running median, end to end in a curve
LEFT_OUT_NOTE = "The first fifth of the steps is left out."

ReadRows = Callable[[Path], Sequence[Row]]


class Chart(NamedTuple):
    """A chart with its title, and what its lines are."""

    title: str
    drawing: Markup
    note: str


class Curve(NamedTuple):
    """An arm's losses over the steps that all of its finished runs have, seed by seed."""

    name: str
    colour: int
    steps: Sequence[float]
    losses: Sequence[Sequence[float]]

    @property
    def means(self) -> list[float]:
        """The mean over seeds at each step."""
        return [fmean(column) for column in zip(*self.losses, strict=True)]


def draw_curves(folder: Path, arms: Sequence[ArmResults]) -> Iterator[Chart]:
    """Yield the charts of an ablation for which its finished runs have rows."""
    training = [_read(folder, arm, read_metrics, "nll") for arm in arms]
    if any(len(curve.steps) > 1 for curve in training):
        yield _draw_training(training)
    validation = [_read(folder, arm, read_evaluations, "validation_nll") for arm in arms]
    if any(len(curve.steps) > 1 for curve in validation):
        yield _draw_validation(validation)


def smooth(values: Sequence[float], width: int) -> list[float]:
    """Return the running median of `width` values, of fewer at both ends."""
    half = width // 2
    return [median(values[max(0, at - half) : at + half + 1]) for at in range(len(values))]


def _read(folder: Path, arm: ArmResults, read: ReadRows, column: str) -> Curve:
    """Return an arm's curve without its beginning."""
    found = [
        {
            row.step: float(getattr(row, column))
            for row in read(find_run(folder, arm.name, run.seed))
        }
        for run in arm.runs
    ]
    common = sorted(set.intersection(*map(set, found))) if found else []
    steps = [step for step in common if step >= LEFT_OUT * common[-1]]
    return Curve(arm.name, arm.colour, steps, [[one[step] for step in steps] for one in found])


def _draw_training(curves: Sequence[Curve]) -> Chart:
    width = max(len(curve.steps) for curve in curves) // WINDOWS | 1  # an odd number
    series = []
    for curve in curves:
        means, name = curve.means, f"{curve.name}, mean over seeds"
        series += [
            Series(f"{name}, as measured", _thin_out(curve.steps, means), curve.colour, thin=True),
            Series(
                f"{name}, running median of {width} rows",
                _thin_out(curve.steps, smooth(means, width)),
                curve.colour,
            ),
        ]
    return Chart(
        "Training loss",
        lines(series, "step", "nats/token"),
        f"Thick: the running median of {width} logged {'row' if width == 1 else 'rows'}, mean over "
        f"seeds. Thin: the mean as it was measured, as far as it fits. {LEFT_OUT_NOTE}",
    )


def _draw_validation(curves: Sequence[Curve]) -> Chart:
    series = []
    for curve in curves:
        means = _thin_out(curve.steps, curve.means)
        series.append(Series(f"{curve.name}, mean over seeds", means, curve.colour, dotted=True))
        series += [
            Series(f"{curve.name}, a seed", _thin_out(curve.steps, one), curve.colour, thin=True)
            for one in curve.losses
            if len(curve.losses) > 1
        ]
    return Chart(
        "Validation loss",
        lines(series, "step", "nats/token"),
        f"Thick: mean over seeds, a dot each evaluation. Thin: single seeds. {LEFT_OUT_NOTE}",
    )


def _thin_out(steps: Sequence[float], losses: Sequence[float]) -> list[Point]:
    return list(zip(steps, losses, strict=True))[:: len(steps) // POINTS + 1]
