"""What a command is given is text: names go into ids, manifests and logs, which are UTF-8."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from weighting.errors import AssayError

COMMANDS = {"flows": "assay"}  # of a package that `python -m` runs, if it has another name


def check_text(words: Iterable[str]) -> None:
    """Refuse the first of the words whose bytes are not UTF-8, whatever the terminal's encoding.

    Raises:
        AssayError: there is one.
    """
    for word in words:
        if word.encode("utf-8", "replace").decode() == word:
            continue
        given = os.fsencode(word)  # Python keeps bytes that it cannot decode as half characters
        shown = given.decode("utf-8", "backslashreplace")
        if shown.encode() != given:
            raise AssayError(f"{shown}: not UTF-8; rename what is named so")


def name_program() -> str:
    """Return the name of the command that runs, however it was started."""
    path = Path(sys.argv[0])
    package = path.parent.name
    return COMMANDS.get(package, package) if path.name == "__main__.py" else path.name
