"""The catalog: values, moves, old files, and damage."""

import os
import shutil
import subprocess
import sys

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.database.catalog import SETTINGS, build_catalog, open_catalog
from flows.database.shard_views import open_database
from pipelines.edits.spans import Piece, map_ends, map_starts, replace, to_arrow
from tests.flows.ablations import write_ablation
from tests.flows.runs import build_run
from tests.flows.stories import (
    Doc,
    Story,
)
from weighting.contracts.documents import DOCUMENTS
from weighting.errors import AssayError
from weighting.storage.files import read_json, write_json


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = build_run(tmp_path_factory.mktemp("catalog") / "run")
    write_ablation(folder)
    build_catalog(folder)
    return folder


def ask(run, sql, *parameters):
    with open_database(run) as connection:
        return connection.execute(sql, parameters).fetchall()


def test_a_bare_shell_answers_from_any_folder(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with duckdb.connect(str(run / "assay.duckdb"), read_only=True) as connection:
        for name, rows in (
            ("documents", 4),
            ("token_story", 121),
            ("signal_stats", 10),
            ("trajectories", 0),
            ("weighing", 2),
            ("dropped", 2),
            ("ledger", 8),
            ("quarantine", 2),
            ("signals", 4),
            ("tokens", 257),
            ("heaviest_tokens", 2),
        ):
            assert connection.execute(f"SELECT count(*) FROM {name}").fetchall() == [(rows,)]


def test_stored_tables_say_what_the_manifest_says(run):
    assert ask(run, "FROM funnel WHERE unit = 'records'") == [
        ("records", "read", 8),
        ("records", "dropped", 2),
        ("records", "duplicate", 0),
        ("records", "quarantined", 2),
        ("records", "kept", 4),
    ]
    assert ask(run, "FROM recipe WHERE key LIKE 'rules.%' ORDER BY key") == [
        ("rules.few_words.max", None),
        ("rules.few_words.min", "3.0"),
    ]
    assert ask(run, "FROM inputs") == [("in.jsonl", 1234, "ab" * 16)]
    assert ask(run, "SELECT value FROM facts WHERE key = 'tokenizer.eos_id'") == [("256",)]
    (documents, tokens, mass, share) = ask(
        run, "SELECT documents, tokens, weight_mass, effective_share FROM splits LIMIT 1"
    )[0]
    assert (documents, tokens) == (3, 102)
    assert mass == pytest.approx(102)
    assert 0 < share < 1
    assert ask(run, "SELECT sum(tokens) FROM weight_histogram") == [(121,)]


def test_quarantine_by_error_with_payload(run):
    assert ask(run, "FROM quarantine_errors") == [("bad_json", 1), ("bad_utf8", 1)]
    (payload,) = ask(run, "SELECT payload FROM quarantine WHERE error = 'bad_json'")[0]
    assert payload == b'{"text": \xff'


def test_a_rule_column_tells_what_the_rule_keeps(run):
    sql = "SELECT comment FROM duckdb_columns() WHERE table_name = 'ledger' AND column_name = ?"
    value = "Value of the rule, null where it has none; "
    assert ask(run, sql, "few_words") == [(f"{value}kept if at least 3",)]
    assert ask(run, sql, "odd_words") == [(f"{value}it drops nothing",)]


def test_what_was_no_document_is_counted_by_kind(run, tmp_path):
    assert ask(run, "FROM skipped") == []
    other = build_run(tmp_path / "run", Story(skipped={"request": 4, "status 404": 9}))
    assert ask(other, "FROM skipped") == [("status 404", 9), ("request", 4)]


def test_fields_that_were_left_out_are_counted_by_reason(run, tmp_path):
    assert ask(run, "FROM left_out") == []
    other = build_run(tmp_path / "run", Story(left_out={"bad_date": 3, "nan": 12}))
    assert ask(other, "FROM left_out") == [("nan", 12), ("bad_date", 3)]


@settings(max_examples=40)
@given(st.text("ab", max_size=12), st.data())
def test_a_place_in_a_text_leads_to_what_was_read(run, source, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(source)), max_size=6, unique=True)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    pieces = [Piece(*pair, data.draw(st.text("xy", max_size=3))) for pair in pairs]
    text, spans = replace(source, pieces)
    places = np.arange(len(text) + 1)
    (edits,) = to_arrow([spans]).to_pylist()
    with open_catalog(run) as connection:
        found = connection.execute(
            "SELECT source_start($1, i), source_end($1, i) FROM range($2) places(i)",
            [edits, len(places)],
        ).fetchall()
    expected = zip(map_starts(spans, places), map_ends(spans, places), strict=True)
    assert found == [(int(start), int(end)) for start, end in expected]


def test_rule_cost_has_bounds_and_shares(run):
    assert ask(run, "SELECT rule, min, max, documents, documents_share FROM rule_cost") == [
        ("few_words", 3.0, None, 2, 0.25),
        ("odd_words", None, None, 0, 0.0),
    ]


@pytest.fixture(scope="module")
def two_rules(tmp_path_factory):
    """A run in which documents fail one rule or two, and others pass close to the bounds."""
    docs = [
        Doc("kept", value=7.0),
        Doc("both", rule="few_words", also="odd_words", value=2.0),
        Doc("few one", rule="few_words", value=1.0),
        Doc("few two", rule="few_words", value=2.5, unit=1),
        Doc("odd", rule="odd_words", value=12.0, unit=1),
        *(Doc(f"kept {i}", unit=1) for i in range(6)),
    ]
    rules = {"few_words": {"min": 3.0, "max": None}, "odd_words": {"min": 3.0, "max": 10.0}}
    story = Story(docs=docs, recipe={"name": "two", "rules": rules})
    return build_run(tmp_path_factory.mktemp("rules") / "run", story)


def test_rule_cost_tells_alone_from_with_others(two_rules):
    rows = ask(
        two_rules,
        "SELECT rule, documents, alone_documents, failing_documents, shared_documents,"
        " failing_tokens, alone_tokens + shared_tokens FROM rule_cost ORDER BY rule",
    )
    assert rows == [("few_words", 3, 2, 3, 1, 18, 18), ("odd_words", 1, 1, 2, 1, 7, 7)]


def test_rule_overlap_is_symmetric_and_has_its_diagonal(two_rules):
    assert ask(two_rules, "FROM rule_overlap ORDER BY ALL") == [
        ("few_words", "few_words", 3, 18),
        ("few_words", "odd_words", 1, 4),
        ("odd_words", "few_words", 1, 4),
        ("odd_words", "odd_words", 2, 7),
    ]


def test_rule_edge_has_the_nearest_on_both_sides_with_their_texts(two_rules):
    columns = "SELECT text, value, distance, verdict FROM rule_edge WHERE "
    assert ask(two_rules, columns + "rule = 'few_words' AND side = 'dropped side'") == [
        ("few two", 2.5, 0.5, "dropped"),
        ("both", 2.0, 1.0, "dropped"),
        ("few one", 1.0, 2.0, "dropped"),
    ]
    kept = ask(two_rules, columns + "rule = 'few_words' AND side = 'kept side'")
    assert len(kept) == 5  # of eight
    assert {row[1:3] for row in kept} == {(7.0, 4.0)}
    assert ("odd", 7.0, 4.0, "dropped") in kept or ("kept", 7.0, 4.0, "kept") in kept
    kinds = ask(two_rules, "SELECT DISTINCT kind, bound FROM rule_edge WHERE rule = 'odd_words'")
    assert sorted(kinds) == [("max", 10.0), ("min", 3.0)]


def test_a_rule_whose_bounds_are_alike_has_both_edges(tmp_path):
    recipe = {"name": "x", "rules": {"odd_words": {"min": 7.0, "max": 7.0}}}
    run = build_run(tmp_path / "run", Story(docs=[Doc("a"), Doc("b")], recipe=recipe))
    assert ask(run, "SELECT kind, side, count(*) FROM rule_edge GROUP BY ALL ORDER BY ALL") == [
        ("max", "kept side", 2), ("min", "kept side", 2),
    ]  # fmt: skip


def test_bounds_of_a_language_are_a_table_and_its_documents_no_edges_of_others(tmp_path):
    rules = {"odd_words": {"min": 7.0, "max": None}}
    recipe = {"name": "x", "rules": rules, "languages": {"th": {"odd_words": {"min": 1, "max": 9}}}}
    docs = [Doc("a", judged_as="en"), Doc("b", judged_as="th"), Doc("c")]
    run = build_run(tmp_path / "run", Story(docs=docs, recipe=recipe))
    assert ask(run, "FROM language_bounds") == [("th", "odd_words", 1.0, 9.0)]
    assert ask(run, "SELECT text FROM rule_edge ORDER BY ALL") == [("a",), ("c",)]


def test_without_enforced_rules_there_are_no_edges(tmp_path):
    run = build_run(tmp_path / "run", Story(recipe={"name": "none"}))
    names = {name for (name,) in ask(run, "SELECT table_name FROM information_schema.tables")}
    assert "rule_overlap" in names
    assert not names & {"edges", "rule_edge"}


def test_source_mass_adds_up(run):
    rows = ask(run, "SELECT source, documents, tokens, token_share FROM source_mass")
    assert rows == [("books", 2, 71, 71 / 121), ("web", 2, 50, 50 / 121)]


def test_ablations_have_one_row_a_metric(run):
    rows = ask(run, "SELECT seed, value FROM ablations WHERE arm = 'plain' AND metric LIKE '%nll'")
    assert rows == [(0, 4.0), (1, 4.2)]


def test_every_relation_has_a_comment(run):
    with open_catalog(run) as connection:
        undocumented = connection.execute(
            """
            SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL
            UNION ALL SELECT table_name FROM duckdb_tables() WHERE NOT internal AND comment IS NULL
            """
        ).fetchall()
    assert undocumented == []


def test_a_run_that_moved(run, tmp_path):
    moved = tmp_path / "it's [here]*"
    shutil.copytree(run, moved)
    shutil.move(run, run.with_name("gone"))
    try:
        assert ask(moved, "SELECT count(*) FROM documents JOIN shards USING (doc_id)") == [(4,)]
        with duckdb.connect(str(moved / "assay.duckdb"), read_only=True) as connection:
            assert connection.execute("SELECT count(*) FROM tokens").fetchall() == [(257,)]
            assert connection.execute("SELECT count(*) FROM documents").fetchall() == [(4,)]
    finally:
        shutil.move(run.with_name("gone"), run)


def test_a_copy_reads_its_own_files_in_a_bare_shell(run, tmp_path, monkeypatch):
    build_catalog(run)
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "documents" / "000001.parquet").unlink()
    monkeypatch.chdir(copy)
    for path in ("assay.duckdb", "../copy/assay.duckdb", str(copy / "assay.duckdb")):
        with duckdb.connect(path, read_only=True) as connection:
            (found,) = connection.execute("SELECT count(*) FROM documents").fetchall()
            assert 0 < found[0] < 4
            (place,) = connection.execute("SELECT run_folder()").fetchall()[0]
            assert copy.samefile(place)


def test_a_database_reads_no_other_run_in_a_bare_shell(run, tmp_path):
    build_catalog(run)
    other = build_run(tmp_path / "other", Story(docs=[Doc("a"), Doc("b")]))
    shutil.copy(run / "assay.duckdb", other / "assay.duckdb")
    foreign = "does not hold the run of this assay.duckdb: say SET VARIABLE run"
    with duckdb.connect(str(other / "assay.duckdb"), read_only=True) as connection:
        for view in ("documents", "ledger", "signals", "quarantine", "dropped", "token_story"):
            with pytest.raises(duckdb.Error, match=foreign):
                connection.execute(f"FROM {view}").fetchall()
        connection.execute("SET VARIABLE run = ?", [str(run)])
        assert connection.execute("SELECT count(*) FROM documents").fetchall() == [(4,)]
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{run}/assay.duckdb' AS one (READ_ONLY)")
        assert connection.execute("SELECT count(*) FROM one.tokens").fetchall() == [(257,)]
        with pytest.raises(duckdb.Error, match=r"where is the run of this assay\.duckdb\?"):
            connection.execute("FROM one.documents").fetchall()


@pytest.mark.parametrize("name", ["it's [here]*", "day=monday", "🗻 ñ"])
def test_odd_path_at_build_time(tmp_path, name):
    path = build_catalog(build_run(tmp_path / name))
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("FROM documents").fetchall()
        assert [len(row) for row in rows] == [len(DOCUMENTS)] * 4
        for view in ("dropped", "ledger", "quarantine", "signals", "tokens"):
            columns = {row[0] for row in connection.execute(f"DESCRIBE {view}").fetchall()}
            assert "day" not in columns


def test_relative_path(run, monkeypatch):
    monkeypatch.chdir(run.parent)
    assert ask(type(run)("run"), "SELECT count(*) FROM documents") == [(4,)]


def test_rebuilding_replaces_an_old_or_broken_file(tmp_path):
    folder = build_run(tmp_path / "run")
    for content in (b"no database", b""):
        (folder / "assay.duckdb").write_bytes(content)
        (folder / "assay.duckdb.wal").write_bytes(b"stale")
        build_catalog(folder)
        assert ask(folder, "SELECT count(*) FROM tokens") == [(257,)]
        assert [path.name for path in folder.iterdir() if "duckdb" in path.name] == ["assay.duckdb"]


def test_leftovers_of_a_killed_process_do_no_harm(tmp_path):
    folder = build_run(tmp_path / "run")
    (folder / f".assay.duckdb.{os.getpid()}.tmp").write_bytes(b"half a database")
    build_catalog(folder)
    assert ask(folder, "SELECT count(*) FROM tokens") == [(257,)]


def test_failure_keeps_the_old_file_and_leaves_nothing(tmp_path):
    folder = build_run(tmp_path / "run")
    before = build_catalog(folder).read_bytes()
    (folder / "documents" / "000000.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(AssayError, match=r"assay\.duckdb"):
        build_catalog(folder)
    assert (folder / "assay.duckdb").read_bytes() == before
    assert [path.name for path in folder.iterdir() if "duckdb" in path.name] == ["assay.duckdb"]


def test_opening_builds_what_is_missing_or_out_of_date(tmp_path):
    folder = build_run(tmp_path / "run")
    assert ask(folder, "SELECT count(*) FROM ablations") == [(0,)]
    write_ablation(folder)
    assert ask(folder, "SELECT count(DISTINCT arm) FROM ablations") == [(2,)]
    manifest = read_json(folder / "manifest.json")
    write_json(folder / "manifest.json", manifest | {"recipe": {"name": "other"}})
    assert ask(folder, "FROM recipe") == [("name", "other")]


def test_run_without_signals_quarantine_and_validation(tmp_path):
    story = Story(docs=[Doc("one"), Doc("two")], bad=(), sidecar=False)
    folder = build_run(tmp_path / "run", story)
    shutil.rmtree(folder / "quarantine")
    names = {name for (name,) in ask(folder, "SELECT table_name FROM information_schema.tables")}
    assert not names & {"signals", "token_story", "quarantine"}
    assert ask(folder, "SELECT split, tokens, effective_share FROM splits")[1] == (
        "validation",
        0,
        None,
    )
    assert ask(folder, "FROM quarantine_errors") == []


def test_no_run_is_one_clear_line(tmp_path):
    with pytest.raises(AssayError, match=r"manifest.json: no such file"), open_database(tmp_path):
        pass


def test_a_database_in_use_is_one_clear_line(run):
    # In this process another configuration conflicts; from another process a lock does.
    with (
        duckdb.connect(str(run / "assay.duckdb"), config=dict(SETTINGS)),
        pytest.raises(AssayError, match=r"assay\.duckdb"),
        open_database(run),
    ):
        pass


WRITER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_another_program_that_writes_is_named(run):
    path = str(build_catalog(run))
    command = [sys.executable, "-c", WRITER, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        message = rf"assay\.duckdb: python.* \(process {writer.pid}\) .*duckdb -readonly"
        with pytest.raises(AssayError, match=message), open_database(run):
            pass
        writer.communicate()
    assert ask(run, "SELECT 1") == [(1,)]


def test_stages_are_in_their_order_with_all_attempts(run):
    rows = ask(run, "FROM stages")
    assert rows == [
        ("curate", 2, 4.0, 1.5, 300_000_000, 11, 22, 70_000_000),
        ("tokenizer", 1, 0.5, 12.0, 100_000_000, None, None, 60_000_000),
        ("score", 1, 0.5, 12.0, 100_000_000, None, None, 60_000_000),
    ]
    facts = dict(ask(run, "FROM facts"))
    assert facts["command"] == "assay curate in.jsonl --out 'a run'"
    assert facts["began"] < facts["ended"]
