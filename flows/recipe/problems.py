"""What is wrong with a recipe, as lines that name the key and what is valid."""

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import is_dataclass
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from weighting.errors import AssayError
from weighting.knobs import list_knobs

SHOWN = 60  # characters of a wrong value
WANTED = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
}


class Problem(NamedTuple):
    """One thing that is wrong: the dotted key (empty for the whole recipe), and what would do."""

    key: str
    message: str

    def __str__(self) -> str:
        """Return the problem on one line."""
        return f"{self.key}: {self.message}" if self.key else self.message


class RecipeError(AssayError):
    """A recipe that is not valid; `problems` are all that is wrong with it, the message is one."""

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        rest = len(problems) - 1
        more = f" (and {rest} more: assay recipe check {name})" if rest else ""
        super().__init__(f"recipe {name}: {problems[0]}{more}")
        self.problems = problems


def list_problems(error: ValidationError, table: type) -> list[Problem]:
    """Return what was found wrong with a recipe, or with a table of one, in order of the keys."""
    return [_describe(one, table) for one in error.errors(include_url=False)]


def name_choices(kind: str, valid: Iterable[str], given: str | None = None) -> str:
    """Return `unknown KIND, did you mean X? valid: …`; `given` is what the user wrote."""
    choices = list(valid)
    near = difflib.get_close_matches(given or "", choices, n=1)
    hint = f", did you mean {near[0]}?" if near else ";"
    return f"unknown {kind}{hint} valid: {', '.join(choices)}"


def _describe(error: ErrorDetails, table: type) -> Problem:
    place = [part for part in error["loc"] if part != "[key]"]  # how pydantic marks a wrong key
    key = ".".join(map(str, place))
    if error["type"] == "extra_forbidden":
        return Problem(key, name_choices("key", _list_keys(table, place[:-1]), str(place[-1])))
    if error["type"] == "missing":
        return Problem(key, "missing")
    if error["type"] == "value_error":
        return Problem(key, error["msg"].removeprefix("Value error, "))
    wanted = WANTED.get(error["type"])
    message = f"must be {wanted}" if wanted else _soften(error["msg"])
    return Problem(key, f"{message}, is {_show(error['input'])}")


def _soften(message: str) -> str:
    return message.replace("Input should be", "must be").replace("String should", "must")


def _list_keys(recipe: type, place: Sequence[str | int]) -> list[str]:
    """Return the valid keys of the table at `place`."""
    table: Any = recipe
    for part in place:
        if is_dataclass(table):
            table = get_type_hints(table)[str(part)]
        elif get_origin(table) is tuple:
            table = get_args(table)[0]
        elif get_origin(table) is dict:
            table = get_args(table)[-1]
        else:
            table = table.model_fields[str(part)].annotation
    return list(list_knobs(table) if is_dataclass(table) else table.model_fields)


def _show(value: object) -> str:
    match value:
        case dict():
            return "a table"
        case list():
            return "an array"
        case _:
            text = json.dumps(value, ensure_ascii=False, default=str)
            return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
