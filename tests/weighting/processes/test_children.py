"""Children: what is told of one that failed, who goes on, and that none is left."""

import os
import signal

import pytest

from weighting.errors import Interrupted
from weighting.processes import children
from weighting.processes.children import Command, Ending, find_message, run_children

pytestmark = pytest.mark.usefixtures("not_ignored")

HERE = "tests.weighting.processes.child"


@pytest.fixture
def make(tmp_path):
    """Return commands that run the module of tests."""

    def make(name, *arguments):
        return Command(name, (HERE, *arguments), tmp_path / f"{name}.log")

    return make


def test_endings_stand_in_the_order_of_the_commands(make):
    commands = [make("slow", "wait", "0.5"), make("quick", "say", "done")]
    seen = []
    endings = run_children(commands, 2, lambda: seen.append(1))
    assert [str(ending) for ending in endings] == ["slow is done", "quick is done"]
    assert seen
    assert commands[1].log.read_text() == "done\n"
    assert run_children([], 2) == []


def test_the_failing_childs_own_words_are_told(make):
    failing = make("one", "fail", "2", f"{HERE}: lr is 7", "step 3 loss 4.5")
    [ending] = run_children([failing], 1)
    assert ending == Ending(failing, 2, "lr is 7")
    assert str(ending) == f"one failed: lr is 7; its log is {failing.log}"


def test_words_of_an_earlier_attempt_are_not(make):
    silent = make("one", "fail", "3", "step 3 loss 4.5")
    silent.log.write_text(f"{HERE}: stopped and saved\n")
    [ending] = run_children([silent], 1)
    assert ending.message == "exit code 3, without a word"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (signal.SIGKILL, "ended by SIGKILL, perhaps for want of memory"),
        (signal.SIGSEGV, "ended by SIGSEGV"),
    ],
)
def test_a_signal_is_named(make, number, message):
    [ending] = run_children([make("one", "signal", str(int(number)))], 1)
    assert (ending.code, ending.message) == (-number, message)


def test_one_that_fails_stops_no_other(make):
    commands = [make("a", "fail", "1", f"{HERE}: diverged"), make("b", "say", "done")]
    bad, good = run_children(commands, 1)
    assert (bad.failed, good.failed) == (True, False)
    assert commands[1].log.read_text() == "done\n"


def test_a_child_is_no_rank_of_its_parents_group(make, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("MINE", "kept")
    command = make("one", "environment", "WORLD_SIZE", "MINE")
    run_children([command], 1)
    assert command.log.read_text() == "None kept\n"


def test_a_defect_has_the_last_line_of_its_traceback():
    lines = ["step 3 loss 4.5", "Traceback (most recent call last):", "  File", "KeyError: 'x'"]
    assert find_message(lines, "trainer") == "KeyError: 'x'"
    assert find_message([*lines, "trainer: no"], "trainer") == "no"
    assert find_message(lines[:1], "trainer") == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_the_children_save(make, tmp_path, number):
    saved = tmp_path / "saved"

    def interrupt():
        if saved.exists():  # it is at work
            os.kill(os.getpid(), number)

    with pytest.raises(Interrupted) as caught:
        run_children([make("long", "save", str(saved))], 1, interrupt)
    assert caught.value.exit_code == 128 + number
    assert saved.read_text() == "saved"


def test_a_child_that_does_not_end_is_killed(make, tmp_path, monkeypatch):
    monkeypatch.setattr(children, "PATIENCE_SECONDS", 0.2)
    begun = tmp_path / "begun"

    def interrupt():
        if begun.exists():
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        run_children([make("deaf", "deaf", str(begun))], 1, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)
