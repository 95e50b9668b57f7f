"""Signals in the catalog: the story of a token in one query, and the tables of statistics."""

import json
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest

from flows.database.catalog import build_catalog
from flows.database.shard_views import open_database
from pipelines.edits.spans import UNCHANGED, to_arrow
from tests.flows.runs import build_run
from tests.flows.stories import (
    COUNTED,
    DOCS,
    MODELLED,
    Doc,
    Story,
    encode,
    measure,
    name_doc,
    weigh,
)
from weighting.contracts.documents import DOCUMENTS, write_table
from weighting.signals.registry import SIGNALS, list_known
from weighting.signals.trajectory import CLASSES, classify


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = build_run(tmp_path_factory.mktemp("counted") / "run")
    build_catalog(folder)
    return folder


@pytest.fixture(scope="module")
def modelled(tmp_path_factory):
    folder = build_run(tmp_path_factory.mktemp("modelled") / "run", Story(signals=MODELLED))
    build_catalog(folder)
    return folder


def ask(run, sql, *parameters):
    with open_database(run) as connection:
        return connection.execute(sql, parameters).fetchall()


def test_token_story_spells_the_document(run):
    rows = ask(
        run,
        "SELECT token, char_start FROM token_story WHERE doc_id = ? ORDER BY position",
        name_doc(1),
    )
    assert "".join(token for token, _ in rows[:-1]) == DOCS[1].text
    assert rows[-1] == ("<|endoftext|>", len(DOCS[1].text))
    assert rows[3:5] == [("", 3), ("é", 3)]  # two bytes, two tokens, one character


def test_one_query_explains_a_token(modelled):
    rows = ask(
        modelled,
        "SELECT token_id, weight, reasons, nll, surprisal - ngram_gain - ngram_surprisal"
        " FROM explained WHERE doc_id = ? ORDER BY position",
        name_doc(2),
    )
    ids = encode(DOCS[2].text)
    assert [row[0] for row in rows] == ids
    assert [row[1] for row in rows] == weigh(ids).tolist()
    assert rows[0][2] == ["golden"]
    assert rows[-1][2] == ["special"]
    assert [row[3] for row in rows] == measure(ids)["nll"].tolist()
    assert {row[4] for row in rows} == {0}


def test_a_story_has_every_signal_of_the_run(run, modelled):
    for folder, stored in ((run, COUNTED), (modelled, MODELLED)):
        columns = {row[0] for row in ask(folder, "DESCRIBE explained")}
        assert set(list_known(stored)) <= columns
        assert ("trajectory" in columns) == (folder is modelled)
        assert not columns & (set(SIGNALS) - set(list_known(stored)))


def test_trajectories_follow_the_rule(modelled):
    (mean,) = ask(modelled, "SELECT value::DOUBLE FROM facts WHERE key = 'signals.means.nll'")[0]
    sql = "SELECT change, nll, trajectory FROM token_story WHERE trajectory IS NOT NULL"
    rows = ask(modelled, sql)
    change, nll = (np.array(column, np.float32) for column in list(zip(*rows, strict=True))[:2])
    assert [row[2] for row in rows] == [CLASSES[i] for i in classify(change, nll, mean)]
    told = dict(ask(modelled, "SELECT trajectory, sum(tokens) FROM trajectories GROUP BY ALL"))
    assert told == Counter(row[2] for row in rows)
    assert len(told) == 4


def test_a_story_leads_to_the_source(tmp_path):
    run = build_run(tmp_path / "run", Story(docs=[Doc("a cité"), Doc("b")]))
    path = run / "documents" / "000000.parquet"
    table = pq.read_table(path)
    edits = to_arrow([np.array([[2, 3, 2, 7]], np.int32), UNCHANGED])
    at = table.schema.get_field_index("edits")
    write_table(path, table.set_column(at, DOCUMENTS.field("edits"), edits), DOCUMENTS)
    sql = "SELECT token, source_start, source_end FROM explained WHERE doc_id = ? ORDER BY position"
    assert ask(run, sql, name_doc(0)) == [
        ("a", 0, 1), (" ", 1, 2), ("c", 2, 7), ("i", 7, 8), ("t", 8, 9),
        ("", 9, 10), ("é", 9, 10), ("<|endoftext|>", 10, 10),
    ]  # fmt: skip


def test_a_long_text_is_spelt_across_its_parts(tmp_path):
    text = "é" + "words and w☕rds " * 300
    run = build_run(tmp_path / "run", Story(docs=[Doc(text), Doc("b")]))
    sql = "SELECT string_agg(token, '' ORDER BY position) FROM explained WHERE doc_id = ?"
    assert ask(run, sql, name_doc(0)) == [(f"{text}<|endoftext|>",)]


def test_one_document_is_read_alone(modelled):
    """Filters on doc_id reach the files: the plan unfolds one document, not the corpus."""
    sql = "EXPLAIN SELECT * FROM explained WHERE doc_id = 'x' AND position = 7"
    plan = " ".join(ask(modelled, sql)[0][1].split())
    scans = plan.count("READ_PARQUET") + plan.count("ARROW_SCAN")
    assert scans == 3
    assert plan.count("'x'") >= scans  # the id stands in each


def test_tables_of_signals(modelled):
    kinds = dict(ask(modelled, "SELECT signal, kind FROM signal_stats WHERE split = 'train'"))
    assert kinds == {name: signal.kind.value for name, signal in SIGNALS.items()}
    own = ask(modelled, "SELECT correlation FROM signal_correlation WHERE signal = other")
    assert own == [(pytest.approx(1),)] * len(SIGNALS)
    counts = ask(modelled, "SELECT DISTINCT sum(tokens) FROM signal_histogram GROUP BY signal")
    assert counts == [(117,)]


def test_decile_mass_adds_up(run):
    sql = "SELECT sum(token_share), sum(mass_share) FROM decile_mass GROUP BY source"
    assert ask(run, sql) == [(pytest.approx(1), pytest.approx(1))] * 3
    sql = "SELECT source IS NULL, sum(tokens) FROM decile_mass GROUP BY ALL ORDER BY ALL"
    assert ask(run, sql) == [(False, 121), (True, 121)]


def test_weighing_has_a_row_a_split(modelled):
    rows = ask(modelled, "SELECT split, policy, golden, mix, params FROM weighing")
    assert [row[:4] for row in rows] == [
        (split, "soft", "read", 0.25) for split in ("train", "validation")
    ]
    assert json.loads(rows[0][4])["dials"] == {"surprisal": 0.25, "ngram_gain": 0.1}


def test_signals_are_described_in_place(modelled):
    sql = "SELECT comment FROM duckdb_columns() WHERE table_name = ? AND column_name = ?"
    for view in ("signals", "token_story"):
        assert ask(modelled, sql, view, "excess") == [(f"Nats; {SIGNALS['excess'].meaning}",)]
    assert (
        ask(
            modelled,
            "SELECT relation, name FROM relation_columns WHERE comment IS NULL",
        )
        == []
    )
