"""What the files of evaluation sets say, and what is said where they are wrong."""

import gzip
import json

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contamination.items import Item, join, read_items
from pipelines.settings import EvaluationSet
from weighting.errors import AssayError

ROW = {"id": "a7", "q": "What melts?", "a": "Ice.", "many": ["Ice.", "Snow.", "Ice."], "label": 1}


def write(path, rows, encode=lambda text: text):
    path.write_bytes(encode("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return path


def read(path, answer="a", label=None):
    return read_items([EvaluationSet("melting", str(path), "q", answer, label)])


def refuse(path, *expected, **fields):
    with pytest.raises(AssayError) as caught:
        read(path, **fields)
    for part in ("melting", str(path), *expected):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_fields_are_those_that_the_recipe_names(tmp_path):
    path = write(tmp_path / "a.jsonl", [ROW])
    assert read(path) == [Item("melting", "a7", "What melts?", ("Ice.",))]
    assert read(path, answer=None) == [Item("melting", "a7", "What melts?", ())]
    assert read(path, "many") == [Item("melting", "a7", "What melts?", ("Ice.", "Snow."))]


@pytest.mark.parametrize("label", [1, "1", "01", "B", "b"])
def test_a_label_is_a_number_from_0_or_a_letter(tmp_path, label):
    path = write(tmp_path / "a.jsonl", [{**ROW, "label": label}])
    assert read(path, "many", "label")[0].answers == ("Snow.",)


def test_without_an_id_an_item_is_known_by_its_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('\ufeff{"q": "x", "a": "y"}\n\n{"q": "x", "a": "y", "id": 0}\n{"q":"","a":""}')
    assert [item.id for item in read(path)] == ["1", "0", "4"]


def test_files_may_be_compressed(tmp_path):
    plain = read(write(tmp_path / "a.jsonl", [ROW] * 3))
    assert read(write(tmp_path / "a.jsonl.gz", [ROW] * 3, gzip.compress)) == plain
    assert read(write(tmp_path / "a.jsonl.zst", [ROW] * 3, zstandard.compress)) == plain


def test_sets_follow_each_other(tmp_path):
    path = str(write(tmp_path / "a.jsonl", [ROW]))
    sets = [EvaluationSet("one", path, "q"), EvaluationSet("two", path, "a")]
    assert [(item.set, item.question) for item in read_items(sets)] == [
        ("one", "What melts?"),
        ("two", "Ice."),
    ]


@pytest.mark.parametrize(
    ("change", "fields", "expected"),
    [
        ({"q": None}, {}, ["line 2", "no field 'q'", "id, q, a, many, label"]),
        ({"q": 5}, {}, ["line 2", "'q' is 5", "a string"]),
        ({}, {"answer": "b"}, ["line 1", "no field 'b'", "there is id, q"]),
        ({"a": ["x", 5]}, {}, ["line 2", "'a' is [\"x\",5]", "a string or a list of strings"]),
        ({"a": {}}, {}, ["line 2", "'a' is {}"]),
        ({"a": ["y" * 99, 5]}, {}, ["line 2", f'["{"y" * 38}…;']),
        ({}, {"answer": "a", "label": "label"}, ["line 1", "a list of strings"]),
        ({"many": []}, {"answer": "many", "label": "label"}, ["line 2", "'many' is []"]),
        ({}, {"answer": "many", "label": "gold"}, ["line 1", "no field 'gold'"]),
        *(
            ({"label": label}, {"answer": "many", "label": "label"}, ["line 2", "0 to 2", "A to C"])
            for label in (3, -1, True, 1.0, "3", "-1", "D", "", "AB", "ß", "²", "?", [0])
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_line(tmp_path, change, fields, expected):
    path = write(tmp_path / "a.jsonl", [ROW, {**ROW, **change}])
    refuse(path, *expected, **fields)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"q": "x", "a": "y"}\n{"q": ', ["line 2", "not JSON"]),
        (b'{"q": "x", "a": "y"}\n["q"]\n', ["line 2", "not a JSON object"]),
        (b'{"q": "\xff"}\n', ["line 1", "not JSON"]),
        (b"", ["no item"]),
        (b"\n \n", ["no item"]),
    ],
)
def test_a_file_that_is_no_set_is_refused(tmp_path, content, expected):
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    refuse(path, *expected)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    refuse(tmp_path / "none.jsonl", "cannot be read", "No such file")
    cut_short = tmp_path / "a.jsonl.gz"
    cut_short.write_bytes(gzip.compress(json.dumps(ROW).encode())[:-9])
    refuse(cut_short, "line 1", "cut short")


def test_an_items_texts_hold_one_answer_each():
    assert Item("s", "1", "Who?", ("Ann.", " Bob.")).texts == ["Who? Ann.", "Who? Bob."]
    assert Item("s", "1", "Who?", ()).texts == ["Who?"]


@given(st.text(), st.text())
def test_question_and_answer_are_apart_by_the_space_they_have_or_one(question, answer):
    text = join(question, answer)
    assert text.startswith(question)
    assert text.endswith(answer)
    between = text[len(question) : len(text) - len(answer)]
    has_space = question[-1:].isspace() or answer[:1].isspace()
    assert between == (" " if question and answer and not has_space else "")
    assert text.split() == question.split() + answer.split()
