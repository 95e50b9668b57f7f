"""Two arms, two seeds, four processes; then once more without any; and what can go wrong."""

import json
import os
import signal
import subprocess
from dataclasses import replace

import pytest

from trainer.cli import main
from trainer.compare import ablate as ablation
from trainer.compare.ablate import Incomplete, ablate, check_complete
from trainer.compare.curves import PICTURE
from trainer.compare.intervals import t_quantile
from trainer.compare.plan import PLAN, find_plan
from trainer.compare.planning import AblationConfig, make_plan
from trainer.compare.results import RESULTS, read_results
from trainer.config.flat import override
from trainer.run.metrics import read_metrics
from trainer.run.train import train
from weighting.errors import AssayError, Interrupted
from weighting.processes.children import Ending, run_children
from weighting.processes.launch import list_command
from weighting.storage.files import read_json
from weighting.storage.lock import locking


@pytest.fixture
def small(tiny, tmp_path):
    return AblationConfig(out=tmp_path / "out", base=tiny, seeds=(0, 1), jobs=2)


@pytest.fixture
def here(monkeypatch):
    """Train in this process, where the processes are not what is tested; the runs so started."""
    started = []

    def run_here(commands, jobs, between):
        endings = []
        for command in commands:
            started.append(command.name)
            code = main(command.arguments[1:])
            endings.append(Ending(command, code, "as it said" if code else ""))
            between()
        return endings

    monkeypatch.setattr(ablation, "run_children", run_here)
    # Drawing takes longer than all these runs.
    monkeypatch.setattr(ablation, "draw_curves", lambda out, results: (out / PICTURE).touch())
    return started


@pytest.mark.slow  # four trainings in processes of their own
def test_an_ablation_from_shards_to_results(small, monkeypatch):
    steps = []
    results = ablate(small, lambda done, total: steps.append((done, total)))
    check_complete(results)
    assert read_results(small.out) == results
    assert results.plan == find_plan(small.out)
    assert (small.out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert steps[-1] == (24, 24)
    assert steps == sorted(steps)
    assert results.plan.base["seed"] == small.base.seed
    assert results.plan.arms[1].overrides == {"objective": "weighted"}

    plain, weighted = (
        [read_json(small.out / arm / f"seed-{seed}" / "result.json") for seed in (0, 1)]
        for arm in ("plain", "weighted")
    )
    losses = [[run["final"]["validation_nll"] for run in arm] for arm in (plain, weighted)]
    paired = [b - a for a, b in zip(*losses, strict=True)]
    [pair] = results.pairs
    assert pair.primary is not None
    assert list(pair.primary.values) == paired
    assert pair.primary.mean == pytest.approx(sum(paired) / 2)
    half = t_quantile(1) * abs(paired[0] - paired[1]) / 2
    assert pair.primary.half_width_95 == pytest.approx(half)

    # Identical batches: before anything is learnt the arms have the same plain loss.
    first = [read_metrics(small.out / arm / "seed-1")[0] for arm in ("plain", "weighted")]
    assert first[0].nll == first[1].nll
    assert first[0].loss != first[1].loss

    monkeypatch.setattr(ablation, "run_children", refuse_processes)
    assert ablate(replace(small, jobs=1)) == results


def refuse_processes(commands, jobs, between):
    assert not commands, "a finished run was started again"
    return []


def test_a_run_alone_gives_what_it_gives_in_an_ablation(small, tmp_path):
    _, [run, *_] = make_plan(small)
    results = [train(run.config, tmp_path / name) for name in ("a", "b")]
    assert results[0]
    assert results[1]
    assert results[0].final == results[1].final


@pytest.mark.slow
def test_an_arm_that_diverges_is_a_row_and_is_not_started_again(small, monkeypatch):
    config = replace(small, arms={"plain": {}, "wild": {"lr": 1e38}}, seeds=(0,))
    results = ablate(config)
    assert len(results.find_arm("plain").runs) == 1
    [missing] = results.find_arm("wild").missing
    assert missing.reason.startswith("diverged at step ")
    with pytest.raises(Incomplete, match="1 of 2 runs have no result: arm wild, seed 0: diverged"):
        check_complete(results)
    assert read_results(config.out) == results
    monkeypatch.setattr(ablation, "run_children", refuse_processes)
    assert ablate(config) == results


def test_a_run_that_fails_is_a_row_and_is_started_again(small, here, monkeypatch):
    config = replace(small, seeds=(0,))
    with locking(config.out / "weighted" / "seed-0"):  # as a run that someone else started
        results = ablate(config)
    assert len(results.find_arm("plain").runs) == 1
    [missing] = results.find_arm("weighted").missing
    assert missing.reason == "failed: as it said"
    here.clear()
    check_complete(ablate(config))
    assert here == ["arm weighted, seed 0"]


def test_arms_on_other_tokens_are_refused_before_any_run(small, write_corpus):
    other = str(write_corpus("other", train=[[[1, 2, 3]]]))
    with pytest.raises(AssayError, match="arm b: its data has train_documents_crc32"):
        ablate(replace(small, arms={"a": {}, "b": {"shards": other}}))
    assert not small.out.exists()


def test_arms_may_differ_in_weights(small, write_corpus, here):
    other = str(write_corpus("other", weigh=lambda ids: ids * 0.0 + ids % 2 * 2.0))
    arms = {"a": {"objective": "weighted"}, "b": {"objective": "weighted", "shards": other}}
    results = ablate(replace(small, arms=arms, seeds=(0,)))
    runs = [results.find_arm(name).runs[0] for name in arms]
    assert runs[0].validation_nll != runs[1].validation_nll


def test_a_second_one_in_the_folder_is_refused_and_named(small, here):
    with (
        locking(small.out),
        pytest.raises(AssayError, match=rf"another process works here \(process {os.getpid()} on"),
    ):
        ablate(small)
    assert here == []


def test_a_folder_that_is_something_else_is_refused(small, here, corpus):
    with pytest.raises(AssayError, match="is a folder of shards; give the ablation a folder"):
        ablate(replace(small, out=corpus))
    ablate(replace(small, seeds=(0,)))
    with pytest.raises(AssayError, match="is a training run; give the ablation a folder"):
        ablate(replace(small, out=small.out / "plain" / "seed-0"))


def change_base(config, **values):
    return replace(config, base=override(config.base, values))


def test_another_setting_is_refused_and_the_results_stay(small, here):
    config = replace(small, seeds=(0,))
    results = ablate(config)
    before = {name: (config.out / name).read_bytes() for name in (PLAN, RESULTS)}
    with pytest.raises(AssayError, match=r"made with lr 0\.004, now lr is 0\.02"):
        ablate(change_base(config, lr=0.02))
    assert {name: (config.out / name).read_bytes() for name in before} == before
    assert ablate(config) == results


def test_a_begun_run_of_another_setting_is_refused_before_any_process(small, here):
    config = replace(small, seeds=(0,))
    ablate(config)
    (config.out / "weighted" / "seed-0" / "result.json").unlink()
    here.clear()
    with pytest.raises(AssayError, match=r"step-\d+: made with lr 0\.004, now lr is 0\.02"):
        ablate(
            replace(config, arms={"plain": {}, "weighted": {"objective": "weighted", "lr": 0.02}})
        )
    assert here == []


def test_other_arms_and_seeds_use_what_is_finished(small, here):
    ablate(replace(small, seeds=(0,)))
    arms = dict(small.arms)
    here.clear()
    fewer = ablate(replace(small, seeds=(0,), arms={"weighted": arms["weighted"]}))
    assert (here, [arm.name for arm in fewer.arms]) == ([], ["weighted"])
    turned = ablate(replace(small, seeds=(0,), arms=dict(reversed(arms.items()))))
    assert (here, turned.baseline) == ([], "weighted")
    assert [arm.colour for arm in turned.arms] == [1, 0]
    more = ablate(replace(small, seeds=(1, 0)))
    assert here == ["arm plain, seed 1", "arm weighted, seed 1"]
    assert [run.seed for run in more.find_arm("plain").runs] == [1, 0]
    assert read_results(small.out) == more


def test_results_of_before_are_gone_while_new_runs_train(small, here, monkeypatch):
    ablate(replace(small, seeds=(0,)))

    def look(commands, jobs, between):
        assert len(commands) == 2
        assert not (small.out / RESULTS).exists()
        assert not (small.out / PICTURE).exists()
        plan = find_plan(small.out)
        assert plan is not None
        assert plan.seeds == (0, 1)
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr(ablation, "run_children", look)
    with pytest.raises(Interrupted):
        ablate(small)
    assert not (small.out / RESULTS).exists()
    assert list(small.out.glob(".*")) == []


def test_a_run_that_someone_else_trained_meanwhile_is_not_taken(small, here, monkeypatch):
    config = replace(small, seeds=(0,))
    other = override(config.base, {"objective": "weighted", "lr": 0.02})
    ablation_begins = ablation._begin

    def interfere(*given):
        ablation_begins(*given)
        train(other, config.out / "weighted" / "seed-0")

    monkeypatch.setattr(ablation, "_begin", interfere)
    results = ablate(config)
    assert results.find_arm("weighted").runs == ()
    [missing] = results.list_missing()
    assert "its folder holds another run" in missing
    assert "made with lr 0.02, now lr is 0.004" in missing


def test_a_picture_that_cannot_be_drawn_costs_no_results(small, here, monkeypatch):
    def fail(out, results):
        raise RuntimeError("no\nfonts")

    monkeypatch.setattr(ablation, "draw_curves", fail)
    told: list[str] = []
    results = ablate(replace(small, seeds=(0,)), warn=told.append)
    assert read_results(small.out) == results
    assert f"{small.out / 'curves.png'}: cannot be drawn (no\nfonts)" in told


def test_a_signal_while_the_picture_is_drawn_ends_the_command(small, here, monkeypatch):
    def interrupt(out, results):
        raise Interrupted(signal.SIGHUP)

    monkeypatch.setattr(ablation, "draw_curves", interrupt)
    with pytest.raises(Interrupted):
        ablate(replace(small, seeds=(0,)))


@pytest.mark.slow
def test_a_signal_is_passed_on_and_every_run_is_saved(small):
    long = replace(small, base=replace(small.base, steps=10**6, save_every=10**6), seeds=(0,))
    _, [run, *_] = make_plan(long)

    def stop_once_it_trains():
        if read_metrics(run.out):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted) as caught:
        run_children([ablation._command(run)], 1, stop_once_it_trains)
    assert caught.value.exit_code == 143
    [*_, last] = (run.out / "log.txt").read_text().splitlines()
    assert "stopped and saved at step" in last


@pytest.mark.slow
def test_the_command_shows_a_diverged_arm_and_says_so_by_its_exit_code(small, corpus):
    arguments = [
        *("ablate", "--shards", str(corpus), "--out", str(small.out), "--seeds", "0"),
        *("--arm", "plain:objective=plain", "--arm", "wild:lr=1e38", "--baseline", "plain"),
        *("--steps", "4", "--warmup", "1", "--layers", "1", "--width", "16", "--heads", "2"),
        *("--context", "8", "--batch", "2", "--device", "cpu", "--json"),
    ]
    done = subprocess.run(
        list_command("trainer", *arguments), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    [*_, last] = done.stderr.splitlines()
    assert last.startswith("trainer: 1 of 2 runs have no result: arm wild, seed 0: diverged at")
    printed = json.loads(done.stdout)
    assert printed == read_json(small.out / RESULTS)
    assert [arm["name"] for arm in printed["arms"]] == ["plain", "wild"]
