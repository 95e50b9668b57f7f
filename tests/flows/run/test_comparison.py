"""The comparison that a run ends in is planned on its own shards, within its own folder."""

from flows.run.comparison import plan_comparison


def test_arms_train_on_the_shards_as_long_as_asked(tmp_path):
    config = plan_comparison(tmp_path, steps=100, seeds=3, jobs=2)
    assert (config.seeds, config.jobs) == ((0, 1, 2), 2)
    assert config.out.is_relative_to(tmp_path / "ablations")
    base = config.base
    assert base.shards == str(tmp_path / "shards")
    assert (base.steps, base.warmup, base.eval_every, base.save_every) == (100, 10, 20, 100)


def test_a_single_step_is_evaluated(tmp_path):
    assert plan_comparison(tmp_path, steps=1, seeds=1, jobs=1).base.eval_every == 1
