"""The results of an ablation as text: blocks of cells, and the lines that make them readable.

A table, Markdown and LaTeX are three ways to write one sheet; numbers have the digits that their
interval bears.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trainer.compare.intervals import Interval
from trainer.compare.results import LOSSES, PRIMARY, AblationResults, ArmResults, Intervals, Pair
from trainer.display.results_notes import list_notes

NOTHING = "-"
DECIMALS = 4  # where no interval says how many
MOST_DECIMALS = 6
HEADINGS = {
    PRIMARY: "validation",
    "bits_per_byte": "bits/byte",
    "nll_low": "rare",
    "nll_medium": "medium",
    "nll_high": "frequent",
}


class Block(NamedTuple):
    """Rows of cells under headings; `names` is how many columns at the left are names."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int


class Sheet(NamedTuple):
    """Everything that is said of an ablation."""

    title: str
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]
    verdicts: tuple[str, ...]


def build_sheet(results: AblationResults) -> Sheet:
    """Return the sheet of results, finished or not."""
    metrics = _choose_metrics(results)
    blocks = [_list_arms(results, metrics)]
    base = results.baseline
    parts = [
        (
            f"difference from {base}, the baseline",
            1,
            [p for p in results.pairs if p.against == base],
        ),
        ("differences of the others", 2, [p for p in results.pairs if p.against != base]),
    ]
    blocks += [_list_pairs(title, names, pairs, metrics) for title, names, pairs in parts if pairs]
    tokens = "no finished run" if results.tokens is None else f"{results.tokens:,} tokens a run"
    missing = len(results.list_missing())
    planned = len(results.arms) * len(results.plan.seeds)
    runs = f"{planned - missing} of {planned} runs" if missing else _count(planned, "run")
    return Sheet(f"{runs}, {tokens}", tuple(blocks), tuple(list_notes(results)), results.verdicts)


def format_interval(value: Interval | None, sign: str = "") -> str:
    """Return mean ± half-width with two digits of the half-width, the mean alone where none is."""
    if value is None:
        return NOTHING
    half = value.half_width_95
    decimals = count_decimals(half)
    mean = f"{value.mean:{sign}z.{decimals}f}"  # z: never -0.00
    return mean if half is None else f"{mean} ± {half:.{decimals}f}"


def count_decimals(half: float | None) -> int:
    """Return the decimals that show two digits of a half-width."""
    if not half:
        return DECIMALS
    exponent = int(f"{half:.1e}".partition("e")[2])  # once it is rounded
    return min(MOST_DECIMALS, max(0, 1 - exponent))


def format_p(value: float | None) -> str:
    """Return a p with two digits."""
    if value is None:
        return NOTHING
    return "<0.0001" if value < 1e-4 else f"{value:.2g}"


def _choose_metrics(results: AblationResults) -> list[str]:
    order = {name: number for number, name in enumerate(HEADINGS)}
    found = [name for name in LOSSES if any(arm.find(name) for arm in results.arms)]
    return sorted({PRIMARY, *found}, key=order.__getitem__)


def _list_arms(results: AblationResults, metrics: Sequence[str]) -> Block:
    rows = tuple((arm.name, _tell_seeds(arm), *_list_cells(arm, metrics)) for arm in results.arms)
    return Block("mean of each arm", ("arm", "seeds", *map(HEADINGS.__getitem__, metrics)), rows, 1)


def _list_pairs(title: str, names: int, pairs: Sequence[Pair], metrics: Sequence[str]) -> Block:
    tests = [pair.p_holm for pair in pairs if pair.p_holm is not None]
    primary, *others = map(HEADINGS.__getitem__, metrics)
    p = ("p (Holm)",) if tests else ()
    rows = []
    for pair in pairs:
        first, *rest = _list_cells(pair.difference, metrics, "+")
        held = (format_p(pair.p_holm),) if tests else ()
        who = (pair.arm, pair.against)[:names]
        rows.append((*who, str(len(pair.seeds)), first, *held, *rest))
    headings = (*("arm", "against")[:names], "seeds", primary, *p, *others)
    return Block(title, headings, tuple(rows), names)


def _list_cells(values: Intervals, metrics: Sequence[str], sign: str = "") -> Iterator[str]:
    return (format_interval(values.find(name), sign) for name in metrics)


def _tell_seeds(arm: ArmResults) -> str:
    done, planned = len(arm.runs), len(arm.runs) + len(arm.missing)
    if not arm.missing:
        return str(done)
    reasons = sorted({_shorten(one.reason) for one in arm.missing})
    return f"{done} of {planned}, {', '.join(reasons)}"


def _shorten(reason: str) -> str:
    """Return the first words of a reason; the verdicts have it whole."""
    return reason.partition(":")[0].partition(";")[0].partition("(")[0].partition(",")[0].strip()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
