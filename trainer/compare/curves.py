"""The loss curves of an ablation as a picture: each arm's mean, every seed thin behind it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.run.metrics import Row
from weighting.arrays import Float64s
from weighting.storage.files import replacing

# Okabe and Ito's colours, which colour-blind readers tell apart; black is left for the axes.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLES = ("-", "--", ":", "-.")
PANELS = (("nll", "training loss"), ("validation_nll", "validation loss"))

Curves = Mapping[str, Sequence[Sequence[Row]]]  # rows of an arm's runs, one list a seed


def draw_curves(path: Path, training: Curves, validation: Curves) -> None:
    """Draw plain loss over tokens, training left and validation right, as a PNG file."""
    # Drawing is the last thing an ablation does, and importing this takes a second.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    for axes, curves, (column, title) in zip(
        figure.subplots(1, 2), (training, validation), PANELS, strict=True
    ):
        for number, (name, runs) in enumerate(curves.items()):
            values_SxR = np.array([[getattr(row, column) for row in rows] for rows in runs])
            _draw_arm(axes, name, [row.step for row in runs[0]], values_SxR, number)
        axes.set(title=title, xlabel="step", ylabel="nats per token (unweighted)")
        axes.grid(alpha=0.25)
        axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def _draw_arm(
    axes: Any,  # noqa: ANN401 - matplotlib ships no types
    name: str,
    steps: Sequence[int],
    values_SxR: Float64s,
    number: int,
) -> None:
    """Draw S seeds' values at R steps, and their mean."""
    colour, style = COLOURS[number % len(COLOURS)], STYLES[number % len(STYLES)]
    for line in values_SxR:
        axes.plot(steps, line, color=colour, linestyle=style, linewidth=0.6, alpha=0.5)
    mean = values_SxR.mean(axis=0)
    axes.plot(steps, mean, color=colour, linestyle=style, linewidth=2, label=name)
