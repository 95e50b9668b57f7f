"""What is said of an ablation: rows, digits, intervals of every column."""

import pytest

from tests.trainer.records import make_evaluation, make_plan, make_result
from trainer.compare.compare import compare
from trainer.compare.intervals import Interval
from trainer.display.results_sheet import build_sheet, count_decimals, format_interval, format_p


def build(missing=None, baseline="z", **losses):
    plan = make_plan(list(losses), (0, 1), baseline=baseline)
    runs = {
        (arm, seed): make_result(
            seed, 0, final=make_evaluation(5, nll, bits_per_byte=nll / 2, nll_low=nll + 1)
        )
        for arm, values in losses.items()
        for seed, nll in enumerate(values)
        if (arm, seed) not in (missing or {})
    }
    return build_sheet(compare(plan, runs, missing or {}))


def test_a_block_of_means_and_one_of_differences():
    sheet = build(z=(3.0, 3.1), a=(2.9, 2.98))
    assert sheet.title == "4 runs, 100 tokens a run"
    means, differences = sheet.blocks
    assert means.headings == ("arm", "seeds", "validation", "bits/byte", "rare")
    assert [row[:2] for row in means.rows] == [("z", "2"), ("a", "2")]
    assert differences.title == "difference from z, the baseline"
    assert differences.headings == ("arm", "seeds", "validation", "p (Holm)", "bits/byte", "rare")
    assert differences.rows == (
        ("a", "2", "-0.11 ± 0.13", "0.058", "-0.055 ± 0.064", "-0.11 ± 0.13"),
    )
    # Every number of a mean or a difference that is shown has its interval.
    assert all("±" in cell for row in means.rows for cell in row[2:])


def test_arms_are_held_against_each_other_too():
    sheet = build(z=(3.0, 3.1), b=(2.9, 2.98), a=(2.8, 2.9), baseline="b")
    assert [block.title for block in sheet.blocks] == [
        "mean of each arm", "difference from b, the baseline", "differences of the others",
    ]  # fmt: skip
    assert [row[0] for row in sheet.blocks[0].rows] == ["z", "b", "a"]
    assert [row[0] for row in sheet.blocks[1].rows] == ["z", "a"]
    assert [row[:2] for row in sheet.blocks[2].rows] == [("a", "z")]


def test_a_run_without_a_result_is_in_its_arms_row():
    missing = {("wild", 0): "diverged at step 2", ("wild", 1): "failed: no room; its log is x"}
    sheet = build(z=(3.0, 3.1), wild=(9.0, 9.0), missing=missing)
    assert sheet.title.startswith("2 of 4 runs, ")
    assert sheet.blocks[0].rows[1] == ("wild", "0 of 2, diverged at step 2, failed", "-", "-", "-")
    assert sheet.blocks[1].rows == (("wild", "0", "-", "-", "-"),)
    assert sheet.verdicts[-2:] == (
        "wild, seed 0: diverged at step 2", "wild, seed 1: failed: no room; its log is x",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (2.00381, 0.00412, "2.0038 ± 0.0041"),
        (2.00381, 0.0996, "2.00 ± 0.10"),
        (2.00381, 0.412, "2.00 ± 0.41"),
        (12.3456, 1.26, "12.3 ± 1.3"),
        (12345.6, 126.4, "12346 ± 126"),
        (2.00381, 0.0, "2.0038 ± 0.0000"),
        (2.00381, None, "2.0038"),
        (2.00381, 1e-12, "2.003810 ± 0.000000"),
        (-0.0001, 0.41, "0.00 ± 0.41"),
    ],
)
def test_digits_follow_the_interval(mean, half, text):
    assert format_interval(Interval(mean, half, ())) == text


def test_signs_and_what_is_not_known():
    assert format_interval(Interval(0.5, 0.1, ()), "+") == "+0.50 ± 0.10"
    assert format_interval(None) == "-"
    assert count_decimals(None) == 4
    assert [format_p(p) for p in (None, 1.0, 0.0412, 1e-6, 0.0)] == [
        "-", "1", "0.041", "<0.0001", "<0.0001",
    ]  # fmt: skip
