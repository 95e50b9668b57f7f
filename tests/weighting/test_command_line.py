"""Names that are not UTF-8 are refused before anything is written under them."""

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.command_line import check_text, name_program
from weighting.errors import AssayError


@given(st.lists(st.text()))
def test_all_text_is_taken(words):
    check_text(words)


def test_what_is_no_text_is_named_by_its_bytes():
    with pytest.raises(AssayError, match=r"^run-\\xe9ä: not UTF-8; rename"):
        check_text(["--out", os.fsdecode(b"run-\xe9" + "ä".encode())])


@pytest.mark.parametrize(
    ("started", "name"),
    [
        ("/usr/bin/assay", "assay"),
        ("/work/flows/__main__.py", "assay"),
        ("/work/trainer/__main__.py", "trainer"),
        ("-c", "-c"),
    ],
)
def test_a_command_has_one_name_however_it_is_started(monkeypatch, started, name):
    monkeypatch.setattr(sys, "argv", [started])
    assert name_program() == name
