"""What a terminal, a pipe and a program are shown while a run goes on."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import asdict, replace

import pytest

from tests.trainer.records import make_evaluation, make_metrics
from trainer.display.progress import counting_steps, format_evaluation, lines, reporting
from trainer.run.metrics import Metrics
from weighting.storage.json_records import from_json

ROW = make_metrics(
    2, 1.25, tokens=2048, nll=1.5, lr=3e-3, tokens_per_second=4321.0, matmul_share=0.375
)
EVALUATION = make_evaluation(4, 2.5, bits_per_byte=1.125)
ERASED = "\x1b[1A\x1b[2K"  # up a line and clear it


class Terminal(io.StringIO):
    """Standard output that is a terminal."""

    def isatty(self):
        return True

    @property
    def last(self):
        """The last state of the panel."""
        return self.getvalue().rpartition("╭")[2]


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def test_a_terminal_keeps_the_last_state_of_the_panel(terminal):
    with redirect_stdout(terminal), reporting(4, as_json=False) as report:
        report(ROW)
        report(replace(ROW, step=4, loss=1.0))
        report(EVALUATION)
    for text in ("step 4 of 4", "100%", "1.0000", "4,321 tokens/s", "37.5%", "2.5000", "1.1250"):
        assert text in terminal.last
    assert not terminal.getvalue().endswith(ERASED)


def test_a_resumed_run_shows_what_came_before_it(terminal):
    earlier = [ROW, EVALUATION]
    with redirect_stdout(terminal), reporting(8, as_json=False, earlier=earlier) as report:
        report(replace(ROW, step=6))
    assert "step 6 of 8" in terminal.last
    assert "2.5000  step 4" in terminal.last


@pytest.mark.parametrize("earlier", [[], [ROW, EVALUATION]])
def test_a_command_that_fails_before_its_first_row_leaves_no_panel(terminal, earlier):
    def fail():
        with redirect_stdout(terminal), reporting(4, as_json=False, earlier=earlier):
            raise KeyError("no such shard")

    with pytest.raises(KeyError):
        fail()
    assert terminal.getvalue().endswith(ERASED)


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with redirect_stdout(terminal), reporting(4, as_json=False) as report:
        report(ROW)
    assert terminal.getvalue().startswith("    step ")


def test_a_pipe_gets_columns_under_their_titles(capsys):
    with reporting(4, as_json=False) as report:
        report(ROW)
        report(replace(ROW, matmul_share=None))
        report(EVALUATION)
    titles, row, unmeasured, evaluation = capsys.readouterr().out.splitlines()
    assert len(titles) == len(row) == len(unmeasured)
    names = ("step", "tokens", "loss", "nll", "lr", "norm", "tokens/s", "matmul")
    ends = [titles.index(f" {name}") + 1 + len(name) for name in names]
    cells = [row[start:end].strip() for start, end in zip([0, *ends], ends, strict=False)]
    assert cells == ["2", "2048", "1.2500", "1.5000", "3.00e-03", "0.500", "4321", "37.5%"]
    assert unmeasured.endswith("    -")
    assert evaluation == "step 4: validation 2.5000 nats/token, 1.1250 bits/byte"


def test_a_run_of_an_older_version_has_no_share(capsys):
    with lines() as report:
        values = asdict(ROW)
        del values["matmul_share"]
        report(from_json(Metrics, values))
    assert capsys.readouterr().out.endswith("    -\n")


def test_a_program_gets_the_rows_as_they_are(capsys):
    with reporting(4, as_json=True) as report:
        report(ROW)
        report(EVALUATION)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        asdict(ROW),
        asdict(EVALUATION),
    ]


def test_evaluation_without_bytes():
    assert format_evaluation(make_evaluation(1, 2.0)) == ("step 1: validation 2.0000 nats/token")


def test_a_pipe_gets_a_line_each_tenth(capsys):
    with counting_steps() as report:
        for done in range(41):
            report(done, 40)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["steps 0 of 40", "steps 4 of 40"]
    assert len(lines) == 11
    with counting_steps("half a") as report:
        report(0, 40)
    assert capsys.readouterr().err == "half a: steps 0 of 40\n"
