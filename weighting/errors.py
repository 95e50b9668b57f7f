"""The errors a user can act on. Commands print them on one line and exit with their code."""

import signal

AGAIN = "what is finished is kept, run the same command again to go on"


class AssayError(Exception):
    """Input or state that the user can correct. The message names the thing and what is valid."""

    exit_code = 2


class MayPass(AssayError):
    """What may be otherwise the next time: an input was out of reach, a process was killed."""


class BrokenContract(AssayError):
    """A file breaks a law of its contract (schema, lengths, finite weights, checksum)."""


class BrokenInvariant(AssayError):
    """A finished stage does not add up: records, tokens or weight mass were lost or invented."""

    exit_code = 1


class Interrupted(BaseException):
    """A signal ended the work; what is finished is kept. The exit code is 128 + n, as in shells.

    It is not an `Exception`, just as KeyboardInterrupt is not one. A signal can come anywhere, also
    inside a `try` that catches errors and goes on; this must not be caught there.
    """

    def __init__(self, number: int, message: str = f"interrupted; {AGAIN}") -> None:
        super().__init__(f"{message} ({signal.Signals(number).name})")
        self.exit_code = 128 + number
