"""Evaluation items: what their files say is asked, and what is the answer.

A file has one JSON object a line, plain or compressed by suffix. The fields that hold the question,
the answer and the label are named by the recipe (`EvaluationSet`). Files are small beside a corpus,
and a fault that was passed over would let items through in silence: the first one ends the reading.
"""

from collections.abc import Iterable, Iterator
from string import ascii_uppercase
from typing import Any, NamedTuple

import orjson

from pipelines.readers.records import Reject
from pipelines.readers.rows import NAMES_SHOWN
from pipelines.readers.streams.lines import read_lines
from pipelines.settings import EvaluationSet
from weighting.errors import AssayError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
VALUE_SHOWN = 40  # characters of a wrong value in a message


class Item(NamedTuple):
    """One item of an evaluation set: a question and its right answers, any of which would do."""

    set: str
    id: str  # the field `id`, else the line's number, from 1
    question: str
    answers: tuple[str, ...]  # none: there is a question only

    @property
    def texts(self) -> list[str]:
        """The question with each answer: what a corpus would hold."""
        return [join(self.question, answer) for answer in self.answers] or [self.question]


def join(question: str, answer: str) -> str:
    """Return both with a space between, unless one has white space there already or is empty."""
    ends = question[-1:], answer[:1]
    apart = any(not end or end.isspace() for end in ends)
    return f"{question}{answer}" if apart else f"{question} {answer}"


def read_items(sets: Iterable[EvaluationSet]) -> list[Item]:
    """Return the items of all sets, in the order of their files.

    Raises:
        AssayError: a file cannot be read or holds no item, or a line is not an item; it names
            the set, the file, and the line and field.
    """
    return [item for wanted in sets for item in _read_set(wanted)]


def _read_set(wanted: EvaluationSet) -> list[Item]:
    items = [_to_item(row, number, wanted) for number, row in _list_rows(wanted)]
    if not items:
        raise AssayError(
            f"evaluation set {wanted.name}: {wanted.path} has no item; "
            "it must have a JSON object a line"
        )
    return items


class _Row(NamedTuple):
    """The fields of a line, and the set, file and line for messages."""

    place: str
    fields: dict[str, Any]

    def get(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return a field's value, neither missing nor null."""
        if self.fields.get(name) is None:
            known = list(self.fields)
            listed = ", ".join(known[:NAMES_SHOWN]) + ", …" * (len(known) > NAMES_SHOWN)
            raise AssayError(f"{self.place}: no field {name!r}; there is {listed or 'none'}")
        return self.fields[name]

    def refuse(self, name: str, expected: str) -> AssayError:
        """Return the error of a field with a wrong value."""
        found = orjson.dumps(self.fields[name]).decode()
        shown = found if len(found) <= VALUE_SHOWN else f"{found[:VALUE_SHOWN]}…"
        return AssayError(f"{self.place}: field {name!r} is {shown}; it must be {expected}")


def _list_rows(wanted: EvaluationSet) -> Iterator[tuple[int, _Row]]:
    """Yield the numbers, from 1, and the fields of the lines that are not blank."""
    file = f"evaluation set {wanted.name}: {wanted.path}"
    try:
        for number, line in enumerate(read_lines(wanted.path, 0, -1), start=1):
            place = f"{file}, line {number}"
            if isinstance(line, Reject):
                raise AssayError(f"{place}: {line.message}")
            if content := line[1].removeprefix(BYTE_ORDER_MARK).strip():
                yield number, _Row(place, _parse(content, place))
    except OSError as error:
        raise AssayError(f"{file} cannot be read ({error.strerror or error})") from error


def _parse(line: bytes, place: str) -> dict[str, Any]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise AssayError(f"{place}: not JSON ({error})") from None
    if not isinstance(fields, dict):
        raise AssayError(f"{place}: not a JSON object")
    return fields


def _to_item(row: _Row, number: int, wanted: EvaluationSet) -> Item:
    question = row.get(wanted.question)
    if not isinstance(question, str):
        raise row.refuse(wanted.question, "a string")
    name = row.fields.get("id")
    return Item(
        wanted.name, str(number if name is None else name), question, _list_answers(row, wanted)
    )


def _list_answers(row: _Row, wanted: EvaluationSet) -> tuple[str, ...]:
    """Return the right answers, each once."""
    if wanted.answer is None:
        return ()
    answers = row.get(wanted.answer)
    if wanted.label is not None:
        if not _are_strings(answers) or not answers:
            raise row.refuse(wanted.answer, f"a list of strings that {wanted.label!r} points into")
        return (answers[_find_place(row, wanted.label, len(answers))],)
    if isinstance(answers, str):
        return (answers,)
    if not _are_strings(answers):
        raise row.refuse(wanted.answer, "a string or a list of strings")
    return tuple(dict.fromkeys(answers))


def _are_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _find_place(row: _Row, label: str, answers: int) -> int:
    """Return the place among the answers that a label means: a number from 0, or a letter."""
    value = row.get(label)
    place = -1
    if isinstance(value, int) and not isinstance(value, bool):
        place = value
    elif isinstance(value, str) and value.isascii() and value.isdigit():
        place = int(value)
    elif isinstance(value, str) and len(value) == 1:
        place = ascii_uppercase.find(value.upper())
    if not 0 <= place < answers:
        letters = f", or a letter, A to {ascii_uppercase[:answers][-1]}"
        raise row.refuse(label, f"a number from 0 to {answers - 1}{letters}")
    return place
