"""The closing summary: every term of the funnel, narrow screens, pipes, hostile names."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from flows.database.catalog import build_catalog
from flows.report import write_report
from flows.run.summary import print_outcome, print_paths, print_summary
from flows.visible import shorten, show
from pipelines.rules.registry import RULES
from tests.flows.runs import build_run
from tests.flows.stories import ELSEWHERE, MODELLED, Bad, Doc, Hit, Story
from weighting.contracts.counts import Replay, SetCounts
from weighting.contracts.manifest import read_manifest
from weighting.errors import AssayError
from weighting.policies.registry import read_params


def summarise(run, width=80, **options):
    stream = io.StringIO()
    console = Console(file=stream, width=width, **options)
    print_summary(run, console)
    print_paths(run, console)
    return stream.getvalue()


def find_line(text, label):
    """Return the line that starts with `label`, runs of spaces made one."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return next(line for line in lines if line.startswith(label))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = build_run(tmp_path_factory.mktemp("summary") / "run")
    build_catalog(folder)
    write_report(folder)
    return folder


def test_funnel_has_every_term(run):
    text = summarise(run)
    assert find_line(text, "read") == "read 8 100.0 133 100.0 138 100.0"
    assert find_line(text, "dropped") == "dropped by rules 2 25.0 21 15.8 21 15.2"
    assert find_line(text, "few_words") == "few_words 2 21 15.2 21 0"
    assert find_line(text, "duplicates") == "duplicates 0 0.0 0 0.0 0 0.0"
    assert find_line(text, "quarantined") == "quarantined 2 25.0 0 0.0 0 0.0"
    assert find_line(text, "bad_utf8") == "bad_utf8 1 12.5 - - - -"
    assert find_line(text, "kept") == "kept 4 50.0 112 84.2 117 84.8"
    assert "odd_words" not in text  # dropped nothing


def test_splits_weight_and_paths(run):
    text = summarise(run)
    assert find_line(text, "train") == "train 3 102 102.0 1.000000 81.9%"
    assert find_line(text, "validation") == "validation 1 19 19.0 1.000000 88.2%"
    assert "100 commonest token types: 100.0% of the tokens, 100.0% of the weight mass" in text
    assert f"report    {run / 'report.html'}\n" in text
    assert f"database  {run / 'assay.duckdb'}\n" in text


def test_policy_floor_and_selection(tmp_path, run):
    params = read_params("top_k", {"share": 0.01, "least_effective": 0.5})
    story = Story(signals=MODELLED, policy="top_k", params=params, left=[1])
    text = " ".join(summarise(build_run(tmp_path / "run", story)).split())
    assert "policy top_k: mask: the share highest in a signal (by excess: Rho-1)" in text
    assert "train: mix raised from 0 to 0." in text
    assert "for an effective sample of 50.0%" in text
    assert "selected by golden: 2 documents of 71 tokens; left out: 1 of 31" in text
    assert "10 commonest token types: " in text
    plain = summarise(run)
    assert "policy soft: exp of weighed signals, capped\n" in plain
    assert not {"raised", "selected"} & set(plain.split())


def test_fits_a_narrow_screen_and_a_pipe(run):
    lines = [line for line in summarise(run).splitlines() if str(run) not in line]
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in summarise(run)
    assert "\x1b[" in summarise(run, force_terminal=True)


def test_long_names_and_large_numbers_fit(run, monkeypatch):
    """The rules' table of a run of 10^10 tokens, with the longest name there is."""
    manifest = read_manifest(run)
    name = max(RULES, key=len)
    documents = manifest.counts.documents
    cost = replace(
        documents.rules["few_words"],
        rule=name,
        failing_documents=12_345_678,
        failing_tokens=9_876_543_210,
    )
    documents = replace(
        documents,
        rules={**documents.rules, name: cost},
        tokens=replace(documents.tokens, read=10**10),
    )
    manifest = replace(manifest, counts=replace(manifest.counts, documents=documents))
    monkeypatch.setattr("flows.run.summary.read_manifest", lambda _: manifest)
    line = next(line for line in summarise(run).splitlines() if name in line)
    assert line.split() == [name, "12.3", "M", "9,876.5", "M", "98.8", "21", "9,876.5", "M"]


def test_copies_and_items_have_a_line_each(tmp_path, run):
    copies = [Doc("a b", copy_of=0), Doc("a c", copy_of=0, similarity=0.9)]
    docs = [Doc("a b"), *copies, Doc("d", copy_of=ELSEWHERE)]
    sets = {"[b]\x1b": SetCounts(1200, hidden=0), "none": SetCounts(3, hidden=3)}
    story = Story(docs=docs, bad=(), hits=[Hit(0, "[b]\x1b"), Hit(1, "[b]\x1b")], sets=sets)
    text = summarise(build_run(tmp_path / "run", story))
    assert find_line(text, "duplicates") == "duplicates 3 75.0 7 70.0 7 70.0"
    assert find_line(text, "equal shingles") == "equal shingles 1 25.0 3 30.0 3 30.0"
    assert find_line(text, "similar") == "similar shingles 1 25.0 3 30.0 3 30.0"
    assert find_line(text, "of an") == "of an earlier run 1 25.0 1 10.0 1 10.0"
    assert "evaluation items of [b]␛: 1 of 1,200 found; documents: 2, kept: 1\n" in text
    assert find_line(text, "evaluation set none: none of its 3 items can be found")
    assert "evaluation items of none" not in text
    assert "evaluation" not in summarise(run)


def test_what_was_no_document_is_one_line(tmp_path):
    kinds = {"[b]": 1, "request": 1200, **{f"status {code}": 2 for code in range(300, 307)}}
    text = summarise(build_run(tmp_path / "run", Story(skipped=kinds)))
    assert (
        "1,215 stored records are no documents: 1,200 request, 2 status 300, 2 status 301, 2 status"
        " 302, 2 status 303, 2 status 304, 5 of 3 other kinds What the rules dropped"
    ) in " ".join(text.split())


def test_a_replay_is_told_by_error():
    stream = io.StringIO()
    console = Console(file=stream, width=80)
    print_outcome(Replay(7, {"bad_json": (3, 1), "[b]": (1, 0)}, {}, ["a"]), console)
    assert find_line(stream.getvalue(), "bad_json") == "bad_json 3 1"
    assert find_line(stream.getvalue(), "[b]") == "[b] 1 0"
    assert stream.getvalue().endswith("7 more records can be read\n")


def test_empty_validation_and_no_report(tmp_path):
    run = build_run(tmp_path / "run", Story(docs=[Doc("a"), Doc("b")], bad=()))
    text = summarise(run)
    assert find_line(text, "validation") == "validation 0 0 0.0 - -"
    assert "report.html" not in text


def test_names_are_shown_as_text(tmp_path):
    bad = Bad(error="[red]\x1b[31mbad\u202e")
    text = summarise(build_run(tmp_path / "run", Story(bad=[bad])))
    assert "[red]␛[31mbad⟨U+202E⟩" in text


def test_no_run(tmp_path):
    with pytest.raises(AssayError, match=r"manifest\.json"):
        summarise(tmp_path)


def test_visible_text():
    assert show("a\0b\nc\td\x7f\x9b\u2066\ufeff") == "a␀b⏎c⇥d␡⟨U+009B⟩⟨U+2066⟩⟨U+FEFF⟩"
    assert show("a\nb\tc\r", layout=True) == "a\nb\tc␍"
    assert show("naïve 👩‍🚀 नमस्ते") == "naïve 👩‍🚀 नमस्ते"
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
