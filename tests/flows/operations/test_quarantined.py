"""What is in quarantine, as a person is shown it."""

import io
import json

import pytest
from rich.console import Console

from flows.operations.quarantined import (
    choose_kind,
    describe_commonest,
    describe_files,
    describe_kinds,
    list_kinds,
    print_kinds,
)
from pipelines.curate import quarantine
from pipelines.curate.quarantine import Entry
from tests.flows.invoking import invoke
from weighting.errors import AssayError


def bad(number, error="bad_json", message="not JSON", payload=b"{"):
    return Entry("a.jsonl", "jsonl", f"byte {number}", error, message, payload)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    entries = [bad(0), bad(9, message="other"), bad(20), bad(30, "bad_utf8", "byte 0", b"\xff")]
    quarantine.write(tmp_path / "quarantine" / "000000.jsonl.zst", entries[:2])
    quarantine.write(tmp_path / "quarantine" / "000001.jsonl.zst", entries[2:])
    return tmp_path


def test_files_are_named_the_worst_first(run):
    assert describe_files(run) == "could not be read: 4 of a.jsonl"
    others = [bad(0)._replace(name=f"{name}.jsonl") for name in "bccdde"]
    quarantine.write(run / "quarantine" / "000002.jsonl.zst", others)
    assert describe_files(run) == (
        "could not be read: 4 of a.jsonl, 2 of c.jsonl, 2 of d.jsonl, some of 2 more inputs"
    )


def test_the_commonest_kind_comes_first_with_its_commonest_message(run):
    kinds = list_kinds(run, examples=2)
    assert [(kind.error, kind.records, kind.message) for kind in kinds] == [
        ("bad_json", 3, "not JSON"),
        ("bad_utf8", 1, "byte 0"),
    ]
    assert [entry.locator for entry in kinds[0].examples] == ["byte 0", "byte 9"]
    assert describe_commonest(run) == "bad_json (3): not JSON"


def test_a_kind_is_chosen_by_name_or_refused_with_what_is_there(run):
    kinds = list_kinds(run)
    assert [kind.error for kind in choose_kind(kinds, "bad_utf8")] == ["bad_utf8"]
    with pytest.raises(AssayError, match="'nope'; there is bad_json, bad_utf8"):
        choose_kind(kinds, "nope")


def test_a_run_without_quarantine_says_so_and_no_run_is_refused(tmp_path):
    with pytest.raises(AssayError, match="no run of assay is there"):
        list_kinds(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    assert list_kinds(tmp_path) == []
    assert describe_commonest(tmp_path) == ""
    assert "0 records could not be read" in invoke("quarantine", tmp_path)


def test_the_page_shows_places_and_bytes_that_are_no_text(run):
    stream = io.StringIO()
    print_kinds(list_kinds(run, 3), Console(file=stream, width=100))
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines[0] == "4 records could not be read"
    assert "3 bad_json" in lines
    assert "  a.jsonl: byte 9  other" in lines  # its own message
    assert "  a.jsonl: byte 20" in lines  # that of the kind is not said again
    assert "    \\xff" in lines


def test_json_holds_the_same(run):
    found = describe_kinds(list_kinds(run, 1))
    assert {error: kind["records"] for error, kind in found.items()} == {
        "bad_json": 3,
        "bad_utf8": 1,
    }
    assert found["bad_utf8"]["examples"][0]["payload"] == "\\xff"
    told = json.loads(invoke("quarantine", run, "--json", "--error", "bad_utf8").splitlines()[-1])
    assert told["quarantined"].keys() == {"bad_utf8"}
