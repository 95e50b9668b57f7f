"""Commands whose output is read by somebody who leaves, as `head` does."""

import subprocess


def leave_after_a_line(command) -> tuple[int, bytes]:
    """Run a command, read one line of it and close the pipe; return its code and errors."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        return process.wait(timeout=60), process.stderr.read()
