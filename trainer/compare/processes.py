"""Training processes, some at once; none outlives the call."""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.machine.interrupt import catching_signals
from weighting.errors import AssayError, Interrupted
from weighting.launch import list_command

POLL_SECONDS = 0.2

Running = dict["subprocess.Popen[bytes]", "Command"]


@dataclass(frozen=True)
class Command:
    """A `trainer` command line, what to call it, and the file for what it says."""

    name: str
    arguments: tuple[str, ...]
    log: Path


def run_processes(commands: Sequence[Command], jobs: int, between: Callable[[], None]) -> None:
    """Run commands, at most `jobs` at once, and call `between` while they run.

    Whatever ends this early, the processes that run get SIGTERM, save and end.

    Raises:
        AssayError: a command failed; the message has the last line of its log.
        Interrupted: a signal came.
    """
    waiting, running = list(commands), Running()
    with catching_signals() as caught:
        try:
            while (waiting or running) and not caught.number:
                while waiting and len(running) < jobs:
                    command = waiting.pop(0)
                    running[_start(command)] = command
                time.sleep(POLL_SECONDS)
                _reap(running)
                between()
        finally:
            _stop(running)
    if caught.number:
        raise Interrupted(caught.number, "stopped, every run is saved; run again to resume")


def _start(command: Command) -> "subprocess.Popen[bytes]":
    with command.log.open("ab") as log:
        return subprocess.Popen(
            list_command("trainer", *command.arguments),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches this process alone, which then asks the others to save.
            start_new_session=True,
        )


def _reap(running: Running) -> None:
    for process in [process for process in running if process.poll() is not None]:
        command = running.pop(process)
        if process.returncode:
            lines = command.log.read_text(encoding="utf-8").splitlines() or ["no word"]
            raise AssayError(f"{command.name} failed ({process.returncode}): {lines[-1]}")


def _stop(running: Running) -> None:
    for process in running:
        process.terminate()
    for process in running:
        process.wait()
