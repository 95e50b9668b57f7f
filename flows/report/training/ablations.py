"""What the ablations of a run showed: answers, tables, curves.

Cells, notes and sentences are those that the trainer prints, so that no number has two forms.
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from flows.database.origin import list_ablations
from flows.report.charts.intervals import Difference, draw_differences
from flows.report.charts.line_charts import COLOURS
from flows.report.figures import MINUS, NOTHING, show_percent
from flows.report.training.loss_curves import Chart, draw_curves
from trainer.compare.results import AblationResults, Pair, read_results
from trainer.display.results_sheet import Block, build_sheet

# How a verdict on an arm begins: the class of its answer, and the answer in a word.
OUTCOMES = {
    "lower": ("lower", "Yes"),
    "higher": ("higher", "No"),
    "no difference": ("none", "Not shown"),
}
HYPHEN = re.compile(r"(?<!\w)-(?=\d)")
UNKNOWN = ("unknown", "Not known")


class Answer(NamedTuple):
    """Whether an arm did better than the baseline: in a word, in a sentence, in perplexity."""

    outcome: str
    word: str
    sentence: str
    meaning: str
    colour: int


class Ablation(NamedTuple):
    """One ablation, ready to show; arms in the user's order."""

    name: str
    title: str
    baseline: str
    colours: Mapping[str, int]  # by arm
    answers: Sequence[Answer]
    differences: Markup | None
    blocks: Sequence[Block]
    failures: Sequence[str]
    notes: Sequence[str]
    charts: Sequence[Chart]


def read_ablations(run: Path) -> list[Ablation]:
    """Return every finished ablation of a run, by name."""
    return [_read(path.parent) for path in list_ablations(run)]


def _read(folder: Path) -> Ablation:
    results = read_results(folder)
    sheet = build_sheet(results)
    pairs = [pair for pair in results.pairs if pair.against == results.baseline]
    colours = {arm.name: arm.colour % COLOURS for arm in results.arms}
    return Ablation(
        name=folder.name,
        title=sheet.title,
        baseline=results.baseline,
        colours=colours,
        answers=[
            _answer(pair, sentence, colours[pair.arm])
            for pair, sentence in zip(pairs, results.verdicts, strict=False)
        ],
        differences=_draw_differences(results, pairs, colours),
        blocks=[_typeset(block) for block in sheet.blocks],
        failures=results.list_missing(),
        notes=sheet.notes,
        charts=list(draw_curves(folder, results.arms)),
    )


def _answer(pair: Pair, sentence: str, colour: int) -> Answer:
    outcome, word = next(
        (found for begin, found in OUTCOMES.items() if pair.verdict.startswith(begin)), UNKNOWN
    )
    meaning = ""
    if pair.primary is not None and outcome in ("lower", "higher"):
        change = show_percent(abs(math.expm1(pair.primary.mean)))
        meaning = f"Perplexity is {change} {outcome}."
    return Answer(outcome, word, _put_minus(sentence), meaning, colour)


def _draw_differences(
    results: AblationResults, pairs: Sequence[Pair], colours: Mapping[str, int]
) -> Markup | None:
    rows = [
        Difference(pair.arm, pair.primary.mean, pair.primary.half_width_95, colours[pair.arm])
        for pair in pairs
        if pair.primary
    ]
    unit = f"validation loss less that of {results.baseline}, nats/token"
    return draw_differences(rows, unit) if rows else None


def _typeset(block: Block) -> Block:
    rows = tuple((*row[: block.names], *map(_put_minus, row[block.names :])) for row in block.rows)
    return block._replace(rows=rows)


def _put_minus(text: str) -> str:
    """Return a text whose negative numbers have a minus sign, and a dash where nothing is."""
    return NOTHING if text == "-" else HYPHEN.sub(MINUS, text)
