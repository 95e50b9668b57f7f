"""Lists that users provide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.lists import describe_failure, load_list
from weighting.errors import AssayError

lines = st.text(st.sampled_from("ab #é\t"), max_size=6)


@given(st.lists(lines, max_size=8), st.booleans())
def test_entries_are_stripped_lines_that_are_no_comments(tmp_path_factory, some, marked):
    path = tmp_path_factory.mktemp("lists") / "list.txt"
    path.write_text("\n".join(some), "utf-8-sig" if marked else "utf-8")
    entries = [line.strip() for line in some]
    assert load_list(str(path), "setting") == tuple(e for e in entries if e and e[0] != "#")


def test_a_list_is_read_once(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("one\n")
    first = load_list(str(path), "setting")
    path.unlink()
    assert load_list(str(path), "setting") is first


def test_what_cannot_be_read_is_named_with_its_setting(tmp_path):
    with pytest.raises(AssayError, match=r"^hard_words: cannot read the list .*gone.txt \(No such"):
        load_list(str(tmp_path / "gone.txt"), "hard_words")
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(AssayError, match=r"\(not valid UTF-8\); it must be a UTF-8 text file"):
        load_list(str(tmp_path / "latin.txt"), "hard_words")


def test_a_failure_is_told_without_its_path():
    assert describe_failure(OSError(13, "Permission denied", "/secret")) == "Permission denied"
    assert describe_failure(ValueError("x")) == "not valid UTF-8"
