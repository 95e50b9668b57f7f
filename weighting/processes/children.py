"""Children of a command, some at once, each with a name and a log; none outlives the call.

What ends the call early ends the children too: they get SIGTERM, save and end. A child that does
not is killed at last. `weighting.processes.parent` sees to a call that has no time for that.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from weighting.errors import Interrupted
from weighting.processes.interruption import noting_signals
from weighting.processes.launch import list_command

POLL_SECONDS = 0.2
PATIENCE_SECONDS = 300.0  # for a child to save what it has
TAIL_BYTES = 2**16  # of a log, in which the last message is looked for
RANKS = {  # of torchrun: a child is no part of a group that its parent is in
    *("RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK"),
    *("WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE", "ROLE_WORLD_SIZE"),
    *("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID"),
}
TRACEBACK = "Traceback (most recent call last):"
REASONS = {int(signal.SIGKILL): ", perhaps for want of memory"}


@dataclass(frozen=True)
class Command:
    """A child to be: what to call it, a module with its arguments, the file for what it says.

    The log is appended to, so it holds all attempts.
    """

    name: str
    arguments: tuple[str, ...]
    log: Path


@dataclass(frozen=True)
class Ending:
    """How a child ended: its exit code, or minus the signal that ended it, and what it said last.

    That is a message of its own, of this attempt, "" where it left none.
    """

    command: Command
    code: int
    said: str = ""

    @property
    def failed(self) -> bool:
        """Whether the child did not do what it was to do."""
        return self.code != 0

    @property
    def message(self) -> str:
        """Why it failed: the child's own words, where it had any."""
        if self.code < 0:
            return f"ended by {signal.Signals(-self.code).name}{REASONS.get(-self.code, '')}"
        return self.said or f"exit code {self.code}, without a word"

    def __str__(self) -> str:
        if not self.failed:
            return f"{self.command.name} is done"
        return f"{self.command.name} failed: {self.message}; its log is {self.command.log}"


class _Child:
    """A child that runs."""

    def __init__(self, command: Command) -> None:
        self.command = command
        with command.log.open("ab") as log:
            self._begin = os.fstat(log.fileno()).st_size  # what stands before is of other attempts
            self._process = subprocess.Popen(
                list_command(*command.arguments),
                env={name: value for name, value in os.environ.items() if name not in RANKS},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches the parent alone, which then asks its children to save.
                start_new_session=True,
            )

    def find_ending(self) -> Ending | None:
        """Return how it ended, None while it runs."""
        code = self._process.poll()
        return None if code is None else Ending(self.command, code, self._read_message())

    def stop(self) -> None:
        """Ask it to save and end."""
        self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended; kill it after that time."""
        try:
            self._process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read_message(self) -> str:
        with self.command.log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._begin, size - TAIL_BYTES))
            lines = log.read().decode("utf-8", "replace").splitlines()
        return find_message(lines, self.command.arguments[0])


def run_children(
    commands: Sequence[Command], jobs: int, between: Callable[[], None] = lambda: None
) -> list[Ending]:
    """Run commands, at most `jobs` at once; return their endings, in the commands' order.

    One that fails stops no other. `between` is called while they run.

    Raises:
        Interrupted: a signal came.
    """
    waiting, running, endings = list(commands), list[_Child](), dict[str, Ending]()
    with noting_signals() as caught:
        try:
            while (waiting or running) and not caught.number:
                while waiting and len(running) < jobs:
                    running.append(_Child(waiting.pop(0)))
                time.sleep(POLL_SECONDS)
                for child in list(running):
                    if ending := child.find_ending():
                        running.remove(child)
                        endings[child.command.name] = ending
                between()
        finally:
            _stop(running)
    if caught.number:
        raise Interrupted(caught.number, "stopped, every run is saved; run again to resume")
    return [endings[command.name] for command in commands]


def find_message(lines: Sequence[str], module: str) -> str:
    """Return the last message among lines that a module's command wrote, "" where there is none.

    Messages begin with the command's name. A defect has the last line of its traceback instead.
    """
    prefix = f"{module}: "
    said = [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]
    if not said and TRACEBACK in lines:
        said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else ""


def _stop(running: Sequence[_Child]) -> None:
    for child in running:
        child.stop()
    deadline = time.monotonic() + PATIENCE_SECONDS
    for child in running:
        child.wait(deadline - time.monotonic())
