"""The loss curves of an ablation as a picture: each arm's mean, every seed thin behind it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.compare.plan import find_run
from trainer.compare.results import AblationResults
from trainer.run.metrics import Row, read_evaluations, read_metrics
from weighting.storage.files import replacing

PICTURE = "curves.png"
# Okabe and Ito's colours, which colour-blind readers tell apart; black is left for the axes.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLES = ("-", "--", ":", "-.")
PANELS: tuple[tuple[Callable[[Path], Sequence[Row]], str, str], ...] = (
    (read_metrics, "nll", "training loss"),
    (read_evaluations, "validation_nll", "validation loss"),
)

Curve = Mapping[int, float]  # values by step


def draw_curves(out: Path, results: AblationResults) -> None:
    """Draw plain loss over steps, training left and validation right, as OUT/curves.png.

    Runs without a result are drawn as far as they went.
    """
    # Drawing is the last thing an ablation does, and importing this takes a second.
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context("default"):  # not under settings that some folder or home has
        figure = Figure(figsize=(11, 4.5), layout="constrained")
        _draw_panels(figure, out, results)
        with replacing(out / PICTURE) as temporary:
            figure.savefig(temporary, format="png", dpi=120)


def _draw_panels(figure: Any, out: Path, results: AblationResults) -> None:  # noqa: ANN401 - as below
    for axes, (read, column, title) in zip(figure.subplots(1, 2), PANELS, strict=True):
        for arm in results.arms:
            folders = [find_run(out, arm.name, seed) for seed in results.plan.seeds]
            curves = [{row.step: getattr(row, column) for row in read(path)} for path in folders]
            name = f"{arm.name} (baseline)" if arm.name == results.baseline else arm.name
            _draw_arm(axes, name, [curve for curve in curves if curve], arm.colour)
        axes.set(title=title, xlabel="step", ylabel="nats per token (unweighted)")
        axes.grid(alpha=0.25)
        axes.legend()


def average(curves: Sequence[Curve]) -> Curve:
    """Return the mean of curves at the steps that all of them have."""
    steps = set[int]().union(*curves)
    common = sorted(steps.intersection(*curves))
    return {step: sum(curve[step] for curve in curves) / len(curves) for step in common}


def _draw_arm(
    axes: Any,  # noqa: ANN401 - matplotlib ships no types
    name: str,
    curves: Sequence[Curve],
    number: int,
) -> None:
    colour, style = COLOURS[number % len(COLOURS)], STYLES[number % len(STYLES)]
    for curve in curves:
        axes.plot(*_split(curve), color=colour, linestyle=style, linewidth=0.6, alpha=0.5)
    # An arm without a row is in the legend all the same.
    axes.plot(*_split(average(curves)), color=colour, linestyle=style, linewidth=2, label=name)


def _split(curve: Curve) -> tuple[list[int], list[float]]:
    return list(curve), list(curve.values())
