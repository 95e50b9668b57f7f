"""What can be compared, what cannot, and the plan that comes of it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.trainer.conftest import draw_documents
from trainer.compare.plan import PLAN
from trainer.compare.planning import AblationConfig, count_documents, make_plan
from trainer.data.corpus import open_corpus
from trainer.data.packing import pack_stream
from trainer.run.evaluate import choose_windows
from weighting.errors import AssayError
from weighting.storage.json_records import write_record


@pytest.fixture
def small(tiny, tmp_path):
    return AblationConfig(out=tmp_path / "out", base=tiny, seeds=(0, 1))


@pytest.mark.parametrize("jobs", [0, 1, 2])
def test_one_thread_a_run_whatever_the_jobs(small, jobs):
    config = replace(small, base=replace(small.base, threads=0), jobs=jobs)
    plan, runs = make_plan(config)
    assert {run.config.threads for run in runs} == {1}
    assert plan.sha256 == make_plan(replace(config, jobs=3))[0].sha256
    given = replace(small, base=replace(small.base, threads=3))
    assert {run.config.threads for run in make_plan(given)[1]} == {3}


def test_arms_of_a_seed_stand_together(small):
    assert [(run.arm.name, run.seed, run.config.seed) for run in make_plan(small)[1]] == [
        ("plain", 0, 0), ("weighted", 0, 0), ("plain", 1, 1), ("weighted", 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arms": {"long": {"steps": 9}}}, "arm long: steps must be the same in every arm"),
        ({"arms": {"a": {"seed": 9}}}, "arm a: seed must be the same in every arm"),
        ({"arms": {"../a": {}}}, "arm '../a': a name is letters"),
        ({"arms": {"..": {}}}, "arm '..': a name is letters"),
        ({"arms": {"": {}}}, "arm '': a name is letters"),
        ({"arms": {"results.json": {}}}, "arm 'results.json': a file of the ablation"),
        ({"arms": {"Plan.JSON": {}}}, "arm 'Plan.JSON': a file of the ablation"),
        ({"arms": {"curves.png": {}}}, "arm 'curves.png': a file of the ablation"),
        ({"arms": {"A": {}, "a": {}}}, "arms 'A' and 'a' differ only in case"),
        ({"arms": {}}, "at least one arm"),
        ({"seeds": ()}, "at least one arm and one seed"),
        ({"seeds": (1, 1)}, "seeds 1, 1: one stands twice"),
        ({"jobs": -1}, "jobs is -1"),
        ({"baseline": "mine"}, "baseline 'mine': the arms are plain, weighted"),
    ],
)
def test_what_is_no_comparison_is_refused(small, change, message):
    with pytest.raises(AssayError, match=message):
        replace(small, **change)


def test_an_arm_that_cannot_be_trained_is_named(small):
    with pytest.raises(AssayError, match="arm b: lr is -2"):
        make_plan(replace(small, arms={"a": {}, "b": {"lr": -2.0}}))


def test_arms_on_halves_see_other_documents_and_no_others(small):
    arms = {"a": {"half": "a"}, "b": {"half": "b"}}
    with pytest.raises(AssayError, match="unless other documents are allowed"):
        make_plan(replace(small, arms=arms))
    plan, _ = make_plan(replace(small, arms=arms, other_documents=True))
    whole = open_corpus(small.base.shards).train.tokens
    tokens = [arm.identity.data.train_tokens for arm in plan.arms]
    assert sum(tokens) == whole > max(tokens)


def test_the_baseline_is_the_first_arm_or_the_one_named(small):
    assert make_plan(small)[0].baseline == "plain"
    named = replace(small, baseline="weighted")
    plan, _ = make_plan(named)
    assert (plan.baseline, [arm.name for arm in plan.arms]) == ("weighted", ["plain", "weighted"])


def test_an_arm_keeps_its_colour(small):
    def find_colours(*names):
        plan, _ = make_plan(replace(small, arms={name: {} for name in names}))
        small.out.mkdir(exist_ok=True)
        write_record(small.out / PLAN, plan)
        return {arm.name: arm.colour for arm in plan.arms}

    assert find_colours("z", "b", "m") == {"z": 0, "b": 1, "m": 2}
    assert find_colours("m", "z") == {"m": 2, "z": 0}
    assert find_colours("new", "m", "z") == {"new": 1, "m": 2, "z": 0}
    assert find_colours("z") == {"z": 0}


@pytest.mark.parametrize("eval_tokens", [0, 8, 24, 10**6])
def test_documents_are_counted_whose_tokens_are_scored(tiny, write_corpus, eval_tokens):
    corpus = open_corpus(str(write_corpus("many", validation=[draw_documents(3, 40)])))
    config = replace(tiny, eval_tokens=eval_tokens)
    packing = pack_stream(corpus.validation, config.model.context)
    rows_W = choose_windows(packing.windows, packing.context, eval_tokens)
    seen = {
        int(np.searchsorted(corpus.validation.documents_D1, place, side="right"))
        for row in rows_W
        for place in range(packing.starts_P[row], packing.starts_P[row] + packing.sizes_P[row])
    }
    assert count_documents(corpus, config) == len(seen)
    assert (len(seen) == 40) == (eval_tokens not in (8, 24))
