"""What a kernel raised, made again from what Beam tells of it."""

import errno

from pipelines.engine.failures import WorkerDied, explain_failure, find_cause, is_of_kernel
from weighting.errors import BrokenInvariant
from weighting.storage.failures import CannotWrite

FRAMES = 'Traceback (most recent call last):\n  File "a.py", line 1, in a\n    raise\n'


def tell(text):
    """What Beam says of an error in a worker, after another one."""
    both = f"{FRAMES}KeyError: 1\n\nDuring handling of it:\n\n{FRAMES}"
    return RuntimeError(f"{both}{text} [while running 'Clean-7']\n\n")


def test_an_error_is_read_from_the_text_of_a_worker():
    invariant = find_cause(tell("weighting.errors.BrokenInvariant: lost: 3"))
    assert (type(invariant), str(invariant)) == (BrokenInvariant, "lost: 3")
    denied = find_cause(tell("PermissionError: [Errno 13] Permission denied: '/run/a: b'"))
    assert isinstance(denied, OSError)
    assert (denied.errno, denied.filename) == (errno.EACCES, "/run/a: b")
    full = find_cause(
        tell("RuntimeError: OSError: [Errno 28] Error writing. Detail: [errno 28] No space")
    )
    assert isinstance(full, OSError)
    assert (full.errno, full.filename) == (errno.ENOSPC, None)
    assert isinstance(find_cause(tell("RuntimeError: MemoryError")), MemoryError)
    for text in ("nowhere.Error: x", "weighting.errors.Nothing: x", "no error at all"):
        assert isinstance(find_cause(tell(text)), RuntimeError)


def test_a_dead_worker_is_the_cause_unless_a_kernel_told_another():
    death = RuntimeError("Worker subprocess exited with return code -9")
    gone = explain_failure(RuntimeError("channel closed"), death)
    assert isinstance(gone, WorkerDied)
    assert "ended by SIGKILL, perhaps for want of memory" in str(gone)
    full = tell("OSError: [Errno 28] No space left on device: '/run/a'")
    assert is_of_kernel(full)
    assert isinstance(explain_failure(full, death), CannotWrite)
    left = explain_failure(RuntimeError("closed"), RuntimeError("exited with return code 3"))
    assert "left (exited with return code 3)" in str(left)
