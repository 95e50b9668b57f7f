"""Two arms, two seeds, four processes; then once more without any."""

import os
import signal
from dataclasses import replace

import pytest

from trainer.cli import main
from trainer.compare import ablate as ablation
from trainer.compare.ablate import AblationConfig, ablate, plan
from trainer.compare.intervals import t_quantile
from trainer.compare.results import read_results
from trainer.run.metrics import read_metrics
from trainer.run.train import train
from weighting.errors import AssayError, Interrupted
from weighting.processes.children import run_children
from weighting.storage.files import read_json


@pytest.fixture
def small(tiny, tmp_path):
    return AblationConfig(out=tmp_path / "out", base=tiny, seeds=(0, 1), jobs=2)


@pytest.mark.slow  # four trainings in processes of their own
def test_an_ablation_from_shards_to_results(small, monkeypatch):
    steps = []
    results = ablate(small, lambda done, total: steps.append((done, total)))
    assert read_results(small.out) == results
    assert (small.out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert steps[-1] == (24, 24)
    assert steps == sorted(steps)
    assert results.base["seed"] == small.base.seed
    assert results.overrides["weighted"] == {"objective": "weighted"}

    plain, weighted = (
        [read_json(small.out / arm / f"seed-{seed}" / "result.json") for seed in (0, 1)]
        for arm in ("plain", "weighted")
    )
    losses = [[run["final"]["validation_nll"] for run in arm] for arm in (plain, weighted)]
    paired = [b - a for a, b in zip(*losses, strict=True)]
    differences = results.arms["weighted"].difference
    assert differences is not None
    difference = differences.validation_nll
    assert list(difference.values) == paired
    assert difference.mean == pytest.approx(sum(paired) / 2)
    half = t_quantile(1) * abs(paired[0] - paired[1]) / 2
    assert difference.half_width_95 == pytest.approx(half)

    # Identical batches: before anything is learnt the arms have the same plain loss.
    first = [read_metrics(small.out / arm / "seed-1")[0] for arm in ("plain", "weighted")]
    assert first[0].nll == first[1].nll
    assert first[0].loss != first[1].loss

    monkeypatch.setattr(ablation, "run_children", refuse_processes)
    assert ablate(small) == results


def refuse_processes(commands, jobs, between):
    assert not commands, "a finished run was started again"
    return []


def test_a_run_alone_gives_what_it_gives_in_an_ablation(small, tmp_path):
    [run, *_] = plan(replace(small, jobs=1))
    results = [train(run.config, tmp_path / name) for name in ("a", "b")]
    assert results[0]
    assert results[1]
    assert results[0].final == results[1].final


def run_here(commands, jobs, between):
    """Stands in for run_children where the processes are not what is tested."""
    for command in commands:
        assert main(command.arguments[1:]) == 0
        between()
    return []


@pytest.mark.slow
def test_a_failed_run_ends_the_ablation_with_its_own_words(small):
    broken = replace(small, arms={"wild": {"lr": 1e38}}, seeds=(0,))
    with pytest.raises(AssayError, match=r"arm wild, seed 0 failed: step \d"):
        ablate(broken)


def test_one_thread_a_run_when_runs_share_the_machine(small):
    unset = replace(small.base, threads=0)
    assert {run.config.threads for run in plan(replace(small, base=unset))} == {1}
    given = replace(small.base, threads=3)
    assert {run.config.threads for run in plan(replace(small, base=given))} == {3}


def test_arms_of_a_seed_stand_together(small):
    assert [(run.arm, run.config.seed) for run in plan(small)] == [
        ("plain", 0), ("weighted", 0), ("plain", 1), ("weighted", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arms": {"long": {"steps": 9}}}, "arm long: steps must be the same in every arm"),
        ({"arms": {"a": {"seed": 9}}}, "arm a: seed must be the same in every arm"),
        ({"arms": {"../a": {}}}, "arm '../a': a name is letters"),
        ({"arms": {"..": {}}}, "arm '..': a name is letters"),
        ({"arms": {}}, "at least one arm"),
        ({"seeds": ()}, "at least one arm, one seed"),
        ({"seeds": (1, 1)}, "seeds 1, 1: one stands twice"),
        ({"jobs": 0}, "one job"),
    ],
)
def test_what_is_no_comparison_is_refused(small, change, message):
    with pytest.raises(AssayError, match=message):
        replace(small, **change)


def test_arms_on_other_tokens_are_refused_before_any_run(small, write_corpus):
    other = str(write_corpus("other", train=[[[1, 2, 3]]]))
    with pytest.raises(AssayError, match="arm b: its data has train_documents_crc32"):
        ablate(replace(small, arms={"a": {}, "b": {"shards": other}}))
    assert not small.out.exists()


def test_arms_may_differ_in_weights(small, write_corpus, monkeypatch):
    monkeypatch.setattr(ablation, "run_children", run_here)
    other = str(write_corpus("other", weigh=lambda ids: ids * 0.0 + ids % 2 * 2.0))
    arms = {"a": {"objective": "weighted"}, "b": {"objective": "weighted", "shards": other}}
    results = ablate(replace(small, arms=arms, seeds=(0,)))
    runs = [results.arms[name].runs[0] for name in arms]
    assert runs[0].validation_nll != runs[1].validation_nll


@pytest.mark.slow
def test_a_signal_is_passed_on_and_every_run_is_saved(small):
    long = replace(small, base=replace(small.base, steps=10**6, save_every=10**6), seeds=(0,))
    [run, *_] = plan(long)

    def stop_once_it_trains():
        if read_metrics(run.out):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted) as caught:
        run_children([ablation._command(run)], 1, stop_once_it_trains)
    assert caught.value.exit_code == 143
    [*_, last] = (run.out / "log.txt").read_text().splitlines()
    assert "stopped and saved at step" in last
