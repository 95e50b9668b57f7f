"""Loss curves: smooth lines over raw ones, of steps that all seeds have."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from flows.report.training.loss_curves import POINTS, draw_curves, smooth
from tests.flows.ablations import make_results, write_ablation
from tests.trainer.records import make_metrics
from trainer.compare.plan import find_run
from weighting.storage.json_records import to_json


@given(st.lists(st.floats(-10, 10), min_size=1), st.sampled_from([1, 3, 5, 51]))
def test_a_running_median_stays_among_its_values(values, width):
    found = smooth(values, width)
    assert len(found) == len(values)
    assert set(smooth(values, 1)) == set(values)
    assert min(values) <= min(found)
    assert max(found) <= max(values)


def test_one_outlier_does_not_move_a_running_median():
    assert smooth([1, 1, 9, 1, 1], 3) == [1, 1, 1, 1, 1]


def test_an_arm_has_a_smooth_line_and_the_measured_one_behind(tmp_path):
    training, validation = draw_curves(write_ablation(tmp_path), make_results().arms)
    lines = re.findall(r'class="line (c\d)( thin)?"', training.drawing)
    assert lines == [("c0", " thin"), ("c1", " thin"), ("c0", ""), ("c1", "")]
    assert "running median" in training.note
    assert validation.drawing.count("<circle") == 2 * 2  # arms and evaluations
    assert validation.drawing.count(" thin") == 2 * 2  # arms and seeds


def test_curves_are_thinned_out_and_leave_the_beginning_out(tmp_path):
    folder = write_ablation(tmp_path)
    for seed in range(2):
        path = find_run(folder, "plain", seed) / "metrics.jsonl"
        rows = (make_metrics(step, 1.0) for step in range(10_000))
        path.write_text("".join(json.dumps(to_json(row)) + "\n" for row in rows))
    training, _ = draw_curves(folder, make_results().arms)
    points = [line.count(",") for line in re.findall('points="([^"]*)"', training.drawing)]
    assert 100 < points[0] <= POINTS


def test_an_arm_without_rows_has_no_line(tmp_path):
    folder = write_ablation(tmp_path)
    for name in ("metrics.jsonl", "evaluations.jsonl"):
        for arm in ("plain", "weighted"):
            (find_run(folder, arm, 0) / name).unlink()
    assert list(draw_curves(folder, make_results().arms)) == []
