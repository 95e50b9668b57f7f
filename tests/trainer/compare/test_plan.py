"""A plan from the file and back, and what its hash depends on."""

from dataclasses import replace

import pytest

from tests.trainer.records import make_fingerprint, make_plan
from trainer.compare.plan import PLAN, find_plan
from weighting.errors import BrokenContract
from weighting.storage.json_records import write_record


@pytest.fixture
def plan():
    return make_plan(["z", "a"], overrides={"a": {"objective": "weighted", "shards": "here"}})


def test_it_comes_back_in_its_order(plan, tmp_path):
    assert find_plan(tmp_path) is None
    write_record(tmp_path / PLAN, plan)
    found = find_plan(tmp_path)
    assert found is not None
    assert found == plan
    assert [arm.name for arm in found.arms] == ["z", "a"]
    (tmp_path / PLAN).write_text("{}")
    with pytest.raises(BrokenContract, match=r"plan\.json: Plan: field"):
        find_plan(tmp_path)


def test_runs_of_a_seed_stand_together(plan):
    runs = [(arm.name, seed) for arm, seed in replace(plan, seeds=(4, 2)).list_runs()]
    assert runs == [("z", 4), ("a", 4), ("z", 2), ("a", 2)]


def test_a_run_is_its_arm_at_its_seed(plan):
    identity = plan.arms[1].identify(7)
    assert (identity.config["seed"], identity.config["objective"]) == (7, "weighted")
    assert identity.data == plan.arms[1].data


def test_arms_differ_in_fields_but_not_in_places(plan):
    assert plan.list_differences() == ["objective"]


def change(plan, number, **values):
    """The plan with another identity of an arm."""
    arms = list(plan.arms)
    arms[number] = replace(arms[number], identity=replace(arms[number].identity, **values))
    return replace(plan, arms=tuple(arms))


def test_the_hash_is_of_what_decides_the_runs(plan):
    config = dict(plan.arms[1].config)
    others = [
        replace(plan, baseline="a"),
        replace(plan, seeds=(0, 1)),
        replace(plan, arms=plan.arms[::-1]),
        replace(plan, arms=plan.arms[:1]),
        replace(plan, arms=(replace(plan.arms[0], name="y"), plan.arms[1])),
        change(plan, 1, config={**config, "lr": 0.5}),
        change(plan, 1, data=make_fingerprint(train_weights_crc32=2)),
    ]
    hashes = {one.sha256 for one in others}
    assert len(hashes) == len(others)
    assert plan.sha256 not in hashes
    moved = change(plan, 1, config={**config, "shards": "there"})
    assert moved.sha256 == plan.sha256
    assert replace(plan, arms=(replace(plan.arms[0], colour=5), plan.arms[1])).sha256 == plan.sha256
