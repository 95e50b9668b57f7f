"""The lines under a table: set-up, what ± covers, one rate, speeds apart."""

from tests.trainer.records import make_plan, make_result
from trainer.compare.compare import compare
from trainer.display.results_notes import list_notes


def write(overrides=None, seeds=(0, 1), documents=24, finished=True, **values):
    names = ["plain", *(overrides or {})] if overrides else ["plain", "weighted"]
    plan = make_plan(names, seeds, overrides, validation_documents=documents, **values)
    runs = {(arm, seed): make_result(seed, 3.0 + seed) for arm in names for seed in seeds}
    return "\n".join(list_notes(compare(plan, runs if finished else {}, {})))


def test_the_set_up_line_has_what_a_reviewer_asks_for():
    [line] = [line for line in write().splitlines() if line.startswith("set-up: ")]
    for part in (
        *("gpt 4 x 128", "9 parameters", "1000 steps of 8 x 128 tokens", "adamw, lr 0.004"),
        *("cosine", "seeds 0, 1", "data 9 tokens (ids 00000001", "tokenizer 000000000000"),
    ):
        assert part in line


def test_fields_that_differ_are_named_by_arm():
    text = write({"fast": {"lr": 0.5}, "wide": {"width": 256}})
    assert "gpt 4 x (by arm)" in text
    assert "lr (by arm)" in text
    assert "arms: plain (the base), fast (lr=0.5), wide (width=256); the baseline is plain" in text
    assert "one learning rate" not in text


def test_one_rate_for_all_weights_is_said():
    assert "all arms train at one learning rate, 0.004" in write({"w": {"objective": "weighted"}})
    assert "one learning rate" not in write({"w": {"objective": "weighted", "lr": 0.1}})


def test_what_the_interval_covers_is_said():
    text = write()
    assert "±: 95 % interval of the mean over seeds" in text
    assert "behind each number: 9 validation tokens of 24 documents" in text
    assert "how much documents differ is not in ±" in text
    assert "p: paired t test of validation" in text
    assert "tests of this table" not in text
    one = write(seeds=(0,), documents=1)
    assert "one seed, so no intervals; behind each number: 9 validation tokens of 1 document" in one
    assert "t test" not in one


def test_several_tests_are_corrected_and_that_is_said():
    text = write({"a": {"lr": 0.1}, "b": {"lr": 0.2}})
    assert "Holm's correction for the 3 tests of this table" in text


def test_speed_is_told_apart():
    assert "tokens/s, beside whatever else ran, so no result: plain 15, weighted 15" in write()


def test_nothing_is_said_of_what_is_not_there():
    text = write(finished=False)
    assert "parameters" not in text
    assert "±" not in text
    assert "tokens/s" not in text
    assert "other documents" not in text
    assert "arms train on different documents" in write(other_documents=True)
