"""The inputs of a run: what it read, and what else its output depends on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InputEntry:
    """One input: a file or data set, a file that the recipe names, or the manifest of another run.

    `size` is in bytes, `hash` is of the content, in the words of the reader that computed it. The
    manifest lists the entries, and so does the claim on a run's folder.
    """

    name: str
    size: int
    hash: str
