"""The results of an ablation as a table, CSV, Markdown, LaTeX or JSON.

A table, Markdown and LaTeX have the digits that intervals bear; CSV and JSON have all of them.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from trainer.compare.intervals import Interval
from trainer.compare.results import METRICS, PRIMARY, AblationResults, Intervals
from trainer.display.fitting import fit_table, wrap
from trainer.display.results_sheet import Block, build_sheet
from weighting.storage.json_records import to_json

COLUMNS = (
    *("arm", "against", "metric", "mean", "half_width_95", "low_95", "high_95"),
    *("seeds", "planned_seeds", "p", "p_holm", "without_result"),
)
Cells = tuple[float | str | None, ...]
NUMBER = re.compile(r"[-+<]?\d[\d,.e+-]*( ± \d[\d.]*)?")
LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}
MARKDOWN = re.compile(r"[\\`*_{}\[\]<>#|~]")


def write_table(results: AblationResults, width: int | None = None) -> str:
    """Return tables for a terminal `width` columns wide, or for a pipe where it is None."""
    sheet = build_sheet(results)
    lines = wrap(sheet.title, width)
    for block in sheet.blocks:
        lines += ["", *wrap(block.title, width)]
        lines += fit_table(block.headings, block.rows, block.names, width)
    lines += ["", *(line for note in sheet.notes for line in wrap(note, width))]
    if sheet.verdicts:
        lines += ["", *(line for verdict in sheet.verdicts for line in wrap(verdict, width))]
    return "\n".join(lines) + "\n"


def write_markdown(results: AblationResults) -> str:
    """Return one Markdown table a block, then the notes as a list."""
    sheet = build_sheet(results)
    lines = [_escape_markdown(sheet.title), ""]
    for block in sheet.blocks:
        marks = [":--" if number < block.names else "--:" for number in range(len(block.headings))]
        lines += [f"**{_escape_markdown(block.title)}**", ""]
        for row in (block.headings, marks, *block.rows):
            cells = row if row is marks else map(_escape_markdown, row)
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    lines += [f"- {_escape_markdown(line)}" for line in (*sheet.notes, *sheet.verdicts)]
    return "\n".join(lines) + "\n"


def write_latex(results: AblationResults) -> str:
    """Return a table environment for the package booktabs, one tabular a block."""
    sheet = build_sheet(results)
    lines = ["% \\usepackage{booktabs}", r"\begin{table}", r"\centering"]
    for number, block in enumerate(sheet.blocks):
        lines += [r"\medskip", ""] if number else []
        lines += _write_tabular(block)
    notes = ". ".join(_escape_latex(note) for note in (sheet.title, *sheet.notes))
    lines += [rf"\caption{{{notes}.}}", r"\end{table}"]
    lines += [f"% {verdict}" for verdict in sheet.verdicts]
    return "\n".join(lines) + "\n"


def write_csv(results: AblationResults) -> str:
    """Return a line for each metric of each arm, and of each arm against another."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_list_lines(results))
    return file.getvalue()


def write_json(results: AblationResults) -> str:
    """Return one line of JSON: what results.json holds."""
    return json.dumps(to_json(results), ensure_ascii=False, allow_nan=False) + "\n"


FORMATS: Mapping[str, Callable[[AblationResults], str]] = {
    "table": write_table,
    "csv": write_csv,
    "markdown": write_markdown,
    "latex": write_latex,
    "json": write_json,
}


def _write_tabular(block: Block) -> Iterator[str]:
    columns = "l" * block.names + "r" * (len(block.headings) - block.names)
    yield rf"\begin{{tabular}}{{{columns}}}"
    yield r"\toprule"
    yield rf"\multicolumn{{{len(columns)}}}{{l}}{{{_escape_latex(block.title)}}} \\"
    yield r"\midrule"
    yield " & ".join(map(_escape_latex, block.headings)) + r" \\"
    yield r"\midrule"
    for row in block.rows:
        yield " & ".join(map(_write_cell, row)) + r" \\"
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _write_cell(cell: str) -> str:
    if not NUMBER.fullmatch(cell):
        return _escape_latex(cell)
    return "$" + cell.replace("±", r"\pm").replace(",", "{,}") + "$"


def _escape_latex(text: str) -> str:
    return "".join(LATEX.get(mark, mark) for mark in text)


def _escape_markdown(text: str) -> str:
    return MARKDOWN.sub(lambda found: "\\" + found[0], text)


def _list_lines(results: AblationResults) -> Iterator[Cells]:
    planned = len(results.plan.seeds)
    for arm in results.arms:
        missing = "; ".join(f"seed {one.seed}: {one.reason}" for one in arm.missing)
        rest: Cells = (planned, None, None, missing)
        yield from _list_metrics((arm.name, ""), arm, len(arm.runs), rest)
    for pair in results.pairs:
        rest = (planned, pair.p, pair.p_holm, "")
        yield from _list_metrics((pair.arm, pair.against), pair.difference, len(pair.seeds), rest)


def _list_metrics(names: Cells, values: Intervals, seeds: int, rest: Cells) -> Iterator[Cells]:
    """Yield a line a metric; tests are of the primary one alone, which has a line in any case."""
    planned, p, p_holm, missing = rest
    for metric in METRICS:
        value = values.find(metric)
        if value is not None or metric == PRIMARY:
            tests = (p, p_holm) if metric == PRIMARY else (None, None)
            yield (*names, metric, *_spread(value), seeds, planned, *tests, missing)


def _spread(value: Interval | None) -> Sequence[float | None]:
    if value is None:
        return (None, None, None, None)
    mean, half = value.mean, value.half_width_95
    ends = (None, None) if half is None else (mean - half, mean + half)
    return (mean, half, *ends)
