"""The errors a user can act on. Commands print them on one line and exit with their code."""


class AssayError(Exception):
    """Input or state that the user can correct. The message names the thing and what is valid."""

    exit_code = 2


class BrokenContract(AssayError):
    """A file breaks a law of its contract (schema, lengths, finite weights, checksum)."""


class BrokenInvariant(AssayError):
    """A finished stage does not add up: records, tokens or weight mass were lost or invented."""

    exit_code = 1
