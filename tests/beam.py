"""What Beam asks when it builds a pipeline, answered once.

A third of the work of a job on a few documents is Beam that asks Python for the arguments of the
same methods, thousands of times, and for translations of the headings of its options.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType, MethodType

import pytest


@contextmanager
def answering_once() -> Iterator[None]:
    """See the module docstring."""
    from apache_beam.transforms import core

    ask = core.get_function_args_defaults
    known: dict[FunctionType, tuple[list[str], list[object]]] = {}

    def remember(function):
        if not isinstance(function, MethodType) or not isinstance(function.__func__, FunctionType):
            return ask(function)
        if function.__func__ not in known:
            known[function.__func__] = ask(function)
        names, defaults = known[function.__func__]
        return [*names], [*defaults]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core, "get_function_args_defaults", remember)
        patch.setattr("argparse._", lambda text: text)
        yield
