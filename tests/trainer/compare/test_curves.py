"""Curves of runs that went different ways."""

import pytest

from tests.flows.ablations import make_results
from tests.trainer.records import make_evaluation, make_metrics
from trainer.compare.curves import average, draw_curves
from trainer.compare.plan import find_run
from trainer.run.metrics import EVALUATIONS, METRICS, append_row


def test_a_mean_is_of_the_steps_that_all_curves_have():
    assert average([{10: 1.0, 20: 2.0, 30: 3.0}, {20: 4.0, 30: 5.0, 35: 6.0}]) == {20: 3.0, 30: 4.0}
    assert average([]) == {}


@pytest.mark.parametrize("steps", [(10, 20, 30), (5, 10), ()])
def test_runs_of_other_steps_are_drawn_too(tmp_path, steps):
    for arm in ("plain", "weighted"):
        for seed, every in ((0, 1), (1, 2)):
            folder = find_run(tmp_path, arm, seed)
            folder.mkdir(parents=True)
            for step in steps:
                append_row(folder / METRICS, make_metrics(step * every))
                append_row(folder / EVALUATIONS, make_evaluation(step * every))
    draw_curves(tmp_path, make_results())
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_settings_of_a_folder_or_a_home_do_not_reach_the_picture(tmp_path):
    import matplotlib as mpl

    with mpl.rc_context({"text.usetex": True}):  # as from a matplotlibrc, where there is no LaTeX
        draw_curves(tmp_path, make_results())
    assert (tmp_path / "curves.png").stat().st_size
