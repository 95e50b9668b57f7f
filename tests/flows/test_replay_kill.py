"""A replay that is killed: the old state or the new one, and the same command finishes it."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from flows.run import replay as replays
from flows.run import stages
from flows.run.session import open_session
from tests.conftest import write_corpus
from tests.flows.run.test_replay import break_line, curate, read_bytes, same_code  # noqa: F401
from weighting.contracts.manifest import check_files, read_manifest

pytestmark = pytest.mark.slow  # whole runs


class Killed(BaseException):
    """What a test raises in the place of a kill."""


def kill_at(monkeypatch, target, number):
    """Let the call `number` (from 1) of a function or method be the last thing that happens."""
    owner, name = target
    real, calls = getattr(owner, name), []

    def call(*arguments, **options):
        calls.append(name)
        if len(calls) == number:
            raise Killed
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, call)
    return calls


@pytest.fixture(scope="module")
def fixed(tmp_path_factory):
    """A run of a broken corpus that has been repaired since; a copy with its replay staged, and
    one with it done."""
    folder = tmp_path_factory.mktemp("killed")
    recipe = folder / "recipe.toml"
    recipe.write_text('name = "small"\n[tokenizer]\nvocab_size = 300\n')
    repair = break_line(write_corpus(folder / "corpus")[0])
    curate(folder / "corpus", folder / "run", recipe)
    repair()
    shutil.copytree(folder / "run", folder / "staged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replays, "publish", lambda *_: None)
        finish(folder / "staged")
    shutil.copytree(folder / "staged", folder / "whole")
    finish(folder / "whole")
    return folder


def finish(run):
    return replays.replay(run, {}, [], open_session(run, 1, Console(quiet=True)))


@pytest.mark.parametrize(
    "target", [(replays, "restore_rows"), (stages, "weigh"), (stages, "verify_records")]
)
def test_killed_while_staging_the_old_state_is_whole(fixed, tmp_path, monkeypatch, target):
    run = tmp_path / "run"
    shutil.copytree(fixed / "run", run)
    with monkeypatch.context() as patch:
        kill_at(patch, target, 1)
        with pytest.raises(Killed):
            finish(run)
    check_files(run, read_manifest(run).files)
    assert read_bytes(run) == read_bytes(fixed / "run")
    finish(run)
    assert read_bytes(run) == read_bytes(fixed / "whole")
    assert read_manifest(run) == read_manifest(fixed / "whole")


def test_what_a_killed_replay_of_other_fields_left_is_not_used(fixed, tmp_path, monkeypatch):
    run = tmp_path / "run"
    shutil.copytree(fixed / "run", run)
    session = open_session(run, 1, Console(quiet=True))
    with monkeypatch.context() as patch:
        kill_at(patch, (replays, "curate_documents"), 1)
        with pytest.raises(Killed):  # nothing of the repaired file has this field
            replays.replay(run, {"text_field": "body"}, [], session)
    finish(run)
    assert read_bytes(run) == read_bytes(fixed / "whole")


@pytest.mark.parametrize("target", [(shutil, "rmtree"), (Path, "replace"), (Path, "unlink")])
def test_killed_while_moving_the_same_command_finishes(fixed, tmp_path, monkeypatch, target):
    for number in range(1, 100):
        run = tmp_path / f"run-{number}"
        shutil.copytree(fixed / "staged", run)
        with monkeypatch.context() as patch:
            calls = kill_at(patch, target, number)
            with suppress(Killed):
                replays.publish(run / ".replay", run)
        if len(calls) < number:  # it ended before it could be killed
            break
        if (run / "manifest.json").exists():  # then it is the new one, and all has moved
            check_files(run, read_manifest(run).files)
        assert finish(run) is None or not (run / ".replay").exists()
        assert read_bytes(run) == read_bytes(fixed / "whole")
        assert read_manifest(run) == read_manifest(fixed / "whole")
        assert not (run / "report.html").exists()  # of the old state
    assert number > 3
