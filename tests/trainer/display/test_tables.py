"""Tables for people: numbers as they read them, a dash for what is not known."""

import io

from rich.console import Console

from tests.flows.ablations import write_ablation
from tests.trainer.records import make_evaluation
from trainer.compare.intervals import Interval
from trainer.compare.results import read_results
from trainer.display.tables import (
    format_interval,
    format_mean,
    format_number,
    print_evaluation,
    print_results,
)


def draw(show, value):
    file = io.StringIO()
    show(value, Console(file=file, width=120))
    return file.getvalue()


def test_numbers_intervals_and_means():
    assert [format_number(value) for value in (None, 12345, 2.5)] == ["-", "12,345", "2.5000"]
    interval = Interval(-0.1234, 0.05, (-0.1, -0.2))
    assert format_interval(interval, "+") == "-0.123 ± 0.050"
    assert format_interval(Interval(1.5, None, (1.5,))) == "1.500"
    assert (format_interval(None), format_mean(None)) == ("-", "-")
    assert format_mean(interval, ".2f") == "-0.12"


def test_an_evaluation_shows_every_number():
    text = draw(print_evaluation, make_evaluation(7, 2.25, validation_tokens=4096))
    for part in ("step", "7", "validation_nll", "2.2500", "4,096", "bits_per_byte"):
        assert part in text


def test_results_show_each_arm_and_the_verdicts(tmp_path):
    text = draw(print_results, read_results(write_ablation(tmp_path)))
    assert "4,096 tokens a run, 2 seeds" in text
    [weighted] = [line for line in text.splitlines() if line.strip().startswith("weighted  ")]
    assert "-0.150 ± 0.500" in weighted
    assert text.splitlines()[-1] == "weighted against plain: no difference shown"
