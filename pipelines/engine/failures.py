"""What to tell of a failed run: the kernel's own error, made again from what Beam says of it."""

import importlib
import re
import signal

from weighting.errors import AGAIN, AssayError, MayPass
from weighting.storage.failures import explain

TRACEBACK = "Traceback (most recent call last):\n"
FRAMES = re.compile(r"\A(?:  .*\n)*")
CALL = re.compile(r'status = StatusCode\.(?P<code>\w+)\s+details = "(?P<details>.*?)"\n', re.DOTALL)
MOST_CHARS = 400  # of what a library says
STEP = re.compile(r" \[while running '[^']*'\]\s*$")
NAMED = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?", re.DOTALL)
CODE = re.compile(r"return code (?P<code>-?\d+)")
ERRNO = re.compile(r"\[Errno (?P<errno>\d+)\] (?P<reason>[^:\n]*)(?:: '(?P<path>.*)')?")


class WorkerDied(MayPass):
    """A worker process ended before the job did; finished units are kept."""

    exit_code = 1


def is_of_kernel(failure: BaseException) -> bool:
    """Say whether a worker tells it: Beam hands on its traceback as text."""
    return TRACEBACK in str(failure)


def explain_failure(failure: BaseException, death: BaseException | None) -> BaseException:
    """Return what to raise for a failure of a run, during which a worker perhaps died."""
    if death is not None and not is_of_kernel(failure):
        return _explain_death(death)
    return explain(find_cause(failure)) or failure


def _explain_death(death: BaseException) -> WorkerDied:
    told = CODE.search(str(death))
    code = int(told["code"]) if told else 0
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"left ({death})"
    memory = ", perhaps for want of memory" if code == -signal.SIGKILL else ""
    return WorkerDied(f"a worker process {how}{memory}; {AGAIN}")


def find_cause(error: BaseException) -> BaseException:
    """Return what a kernel raised, made again from what Beam tells of it, where that can be told.

    Beam adds the step to the message, makes a RuntimeError of what it cannot rebuild, and hands
    on what worker processes raise as the text of a traceback.
    """
    text = str(error).rpartition(TRACEBACK)[2]
    if text == str(error):
        kind = type(error)
        text = f"{kind.__module__}.{kind.__qualname__}: {text}"
    text = STEP.sub("", FRAMES.sub("", text).strip())
    text = text.removeprefix("builtins.").removeprefix("RuntimeError: ")
    named = NAMED.fullmatch(text)
    return (_make_again(named["name"], named["message"] or "") if named else None) or error


def describe_failure(error: BaseException) -> str:
    """Return what failed at last in one line, without the frames that led there."""
    text = str(error).rpartition(TRACEBACK)[2]
    if text == str(error):
        text = f"{type(error).__name__}: {text}"
    if called := CALL.search(text):
        text = f"{called['code']}: {called['details']}"
    told = " ".join(FRAMES.sub("", text).split())
    return told if len(told) <= MOST_CHARS else f"{told[:MOST_CHARS]}…"


def _make_again(name: str, message: str) -> BaseException | None:
    """Return an exception of a class, None where the class is not known here."""
    module, _, kind_name = name.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module or "builtins"), kind_name, None)
    except ImportError:
        return None
    if not (isinstance(kind, type) and issubclass(kind, AssayError | OSError | MemoryError)):
        return None  # no other can be told in one line
    told = ERRNO.match(message)
    if told and issubclass(kind, OSError):
        return OSError(int(told["errno"]), told["reason"], told["path"])
    if issubclass(kind, MemoryError):
        return MemoryError(message)
    return kind.__new__(kind, message)  # whatever its own arguments are
