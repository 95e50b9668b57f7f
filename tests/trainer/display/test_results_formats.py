"""A table, CSV, Markdown, LaTeX and JSON of the same results."""

import csv
import io
import json

import pytest

from tests.trainer.records import make_plan, make_result
from trainer.compare.compare import compare
from trainer.compare.results import AblationResults
from trainer.display.results_formats import (
    FORMATS,
    write_csv,
    write_json,
    write_latex,
    write_markdown,
    write_table,
)
from weighting.storage.json_records import from_json


@pytest.fixture
def results():
    plan = make_plan(["z_plain", "a_b"], (0, 1, 2))
    losses = {"z_plain": (3.0, 3.1, 3.3), "a_b": (2.9, 2.98)}
    runs = {
        (arm, seed): make_result(seed, loss)
        for arm, values in losses.items()
        for seed, loss in enumerate(values)
    }
    return compare(plan, runs, {("a_b", 2): "failed: 50% of x|y_z"})


def test_csv_has_every_digit(results):
    rows = list(csv.DictReader(io.StringIO(write_csv(results))))
    assert [(row["arm"], row["against"], row["metric"]) for row in rows] == [
        ("z_plain", "", "validation_nll"),
        ("z_plain", "", "tokens_per_second"),
        ("a_b", "", "validation_nll"),
        ("a_b", "", "tokens_per_second"),
        ("a_b", "z_plain", "validation_nll"),
    ]
    mean = results.find_arm("z_plain").validation_nll
    assert mean is not None
    assert float(rows[0]["mean"]) == mean.mean
    assert float(rows[0]["half_width_95"]) == mean.half_width_95
    assert float(rows[0]["low_95"]) == mean.mean - mean.half_width_95
    assert (rows[2]["seeds"], rows[2]["planned_seeds"]) == ("2", "3")
    assert rows[2]["without_result"] == "seed 2: failed: 50% of x|y_z"
    assert float(rows[4]["p_holm"]) == results.pairs[0].p_holm


def test_json_is_what_the_file_holds(results):
    text = write_json(results)
    assert text.count("\n") == 1
    assert from_json(AblationResults, json.loads(text)) == results


def test_markdown_is_escaped(results):
    lines = write_markdown(results).splitlines()
    assert "| arm | seeds | validation |" in lines
    assert "| :-- | --: | --: |" in lines
    assert r"| z\_plain | 3 | 3.13 ± 0.38 |" in lines
    assert r"| a\_b | 2 of 3, failed | 2.94 ± 0.51 |" in lines
    assert any(r"50% of x\|y\_z" in line for line in lines)
    for line in lines:
        if line.startswith("|"):
            assert line.replace(r"\|", "").count("|") in (4, 5)


def test_latex_is_escaped_and_balanced(results):
    text = write_latex(results)
    lines = text.splitlines()
    assert r"z\_plain & $3$ & $3.13 \pm 0.38$ \\" in lines
    assert r"a\_b & 2 of 3, failed & $2.94 \pm 0.51$ \\" in lines
    assert lines.count(r"\begin{tabular}{lrr}") == 1
    assert lines.count(r"\toprule") == lines.count(r"\bottomrule") == len(results.pairs) + 1
    body = [line for line in lines if not line.startswith("%")]
    bare = "\n".join(body).replace(r"\_", "").replace(r"\%", "").replace(r"\&", "")
    assert "_" not in bare
    assert "%" not in bare
    assert bare.count("{") - bare.count(r"\{") == bare.count("}") - bare.count(r"\}")
    assert "±" not in bare
    for line in body:
        if line.endswith(r" \\") and "multicolumn" not in line:
            assert line.replace(r"\&", "").count("&") in (2, 3)


def test_every_format_has_the_users_order(results):
    for name, write in FORMATS.items():
        text = write(results).replace("\\", "")
        if name != "json":
            assert text.index("z_plain") < text.index("a_b"), name


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 120, None])
def test_a_table_has_whole_numbers_at_every_width(results, width):
    text = write_table(results, width)
    for number in ("3.13 ± 0.38", "2.94 ± 0.51", "-0.11 ± 0.13"):
        assert number in text
    assert "a_b, seed 2: failed" in " ".join(text.split())
