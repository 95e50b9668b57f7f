"""What is said of ablations: answers, the order and colours of arms, arms that diverged."""

from dataclasses import replace

import pytest

from flows.report.training.ablations import read_ablations
from tests.flows.ablations import make_results, write_ablation
from tests.trainer.records import make_evaluation, make_plan, make_result
from trainer.compare.compare import compare
from weighting.storage.json_records import write_record

SHIFTS = {"plain": 0.0, "lower": -0.5, "higher": 0.5, "same": 0.0, "gone": 0.0}
NOISE = {"same": (0.01, -0.01, 0.0)}


def make_many(seeds=(0, 1, 2)):
    """Return results of five arms, one of which has no finished run."""
    plan = make_plan(list(SHIFTS), seeds)
    runs = {
        (arm, seed): make_result(
            seed,
            loss := 4 + shift + seed / 10 + NOISE.get(arm, (0.0, 0.001, 0.002))[seed],
            final=make_evaluation(100, loss),
        )
        for arm, shift in SHIFTS.items()
        for seed in seeds
        if arm != "gone"
    }
    return compare(plan, runs, {("gone", seed): "diverged at step 2" for seed in seeds})


def read(folder, results):
    (folder / "ablations" / "many").mkdir(parents=True)
    write_record(folder / "ablations" / "many" / "results.json", results)
    (found,) = read_ablations(folder)
    return found


def test_answers_in_a_word_and_a_sentence(tmp_path):
    found = read(tmp_path, make_many())
    words = [(answer.outcome, answer.word) for answer in found.answers]
    assert words == [
        ("lower", "Yes"), ("higher", "No"), ("none", "Not shown"), ("unknown", "Not known"),
    ]  # fmt: skip
    assert "lower against plain: lower validation loss (−0.5" in found.answers[0].sentence
    assert found.answers[0].meaning == "Perplexity is 39.3 % lower."
    assert found.answers[2].meaning == ""
    assert found.failures == [f"arm gone, seed {seed}: diverged at step 2" for seed in range(3)]


def test_one_seed_gives_no_answer(tmp_path):
    found = read(tmp_path, make_many(seeds=(0,)))
    assert {answer.word for answer in found.answers} == {"Not known"}
    assert found.differences is not None


def test_arms_keep_their_order_and_colours(tmp_path):
    results = make_many()
    found = read(tmp_path, replace(results, arms=results.arms[::-1]))
    assert list(found.colours.items()) == [
        ("gone", 4), ("same", 3), ("higher", 2), ("lower", 1), ("plain", 0),
    ]  # fmt: skip
    assert found.baseline == "plain"
    assert [row[0] for row in found.blocks[0].rows] == list(found.colours)


def test_negative_numbers_have_a_minus_sign(tmp_path):
    found = read(tmp_path, make_many())
    cells = [cell for block in found.blocks for row in block.rows for cell in row[1:]]
    assert any(cell.startswith("−0.5") for cell in cells)
    assert not [cell for cell in cells if cell.startswith("-")]


def test_ablations_by_name(tmp_path):
    write_ablation(tmp_path, "second")
    write_ablation(tmp_path, "first")
    assert [one.name for one in read_ablations(tmp_path)] == ["first", "second"]
    assert read_ablations(tmp_path / "nothing") == []


@pytest.mark.parametrize("missing", [{"plain"}, {"plain", "weighted"}])
def test_a_baseline_that_diverged(tmp_path, missing):
    plan, whole = make_results().plan, make_results()
    runs = {
        (arm, seed): make_result(seed, 4.0)
        for arm in ("plain", "weighted")
        for seed in whole.plan.seeds
        if arm not in missing
    }
    lost = {(arm, seed): "diverged at step 2" for arm in missing for seed in whole.plan.seeds}
    found = read(tmp_path, compare(plan, runs, lost))
    assert [answer.word for answer in found.answers] == ["Not known"]
    assert found.differences is None
