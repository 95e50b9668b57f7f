"""Want of memory, told from damage: a damaged length may ask for any amount.

What a file states of itself bounds what its decoder may rightly ask for. A request for more is
damage of the file; any other that fails is the machine's, and no fault of the data. An error that
tells no size counts as damage: a read of a damaged length is such a one.
"""

import re

ASKED = re.compile(r"(?:malloc|realloc) of size (\d+) failed")  # as Arrow says it


def is_want(error: Exception, most: int) -> bool:
    """Say whether an error is the machine's want of memory.

    `most` is how many bytes may rightly be asked for at once.
    """
    if not isinstance(error, MemoryError):
        return False
    asked = ASKED.search(str(error))
    return asked is not None and int(asked[1]) <= most


def raise_want(error: Exception, most: int, what: str) -> None:
    """Raise the machine's want of memory, naming what was read; return for any other error.

    Raises:
        MemoryError: there is too little memory for what may rightly be asked for.
    """
    if is_want(error, most):
        raise MemoryError(f"{what}: {error}") from None
