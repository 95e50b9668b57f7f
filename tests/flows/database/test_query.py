"""Questions to a run: screens, formats, several statements, and what is refused."""

import io
import json
import re

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.database.catalog import build_catalog
from flows.database.query import (
    Question,
    Screen,
    find_limit,
    find_screen,
    read_rows,
    run_query,
    write_file,
    write_query,
)
from flows.database.shard_views import open_database
from tests.flows.runs import build_run
from weighting.errors import AssayError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = build_run(tmp_path_factory.mktemp("query") / "run")
    build_catalog(folder)
    return folder


def show(run, sql, limit=50, width=100, vertical=False, **values):
    stream = io.StringIO()
    run_query(Question(run, sql, values, limit), Screen(stream, width), vertical)
    return stream.getvalue()


def write(run, sql, form, limit=None, **values):
    stream = io.StringIO()
    write_query(Question(run, sql, values, limit), form, stream)
    return stream.getvalue()


def ask(run, sql, form):
    """Ask for a table, or for data, of which a statement that gives none goes before."""
    if form == "table":
        return show(run, sql)
    gives_none = sql.startswith(("DROP", "CREATE", "SET", "PRAGMA"))
    return write(run, f"{sql}; SELECT 1" if gives_none else sql, form)


def test_table_shows_rows_and_their_number(run):
    text = show(run, "SELECT token_id, NULL AS nothing FROM tokens ORDER BY token_id", limit=3)
    assert "3 of 257 rows" in text
    assert "NULL" in text
    assert " 2 │" in text
    assert " 3 │" not in text
    assert '{"text": \\xff' in show(run, "SELECT payload FROM quarantine")


def test_an_empty_table_says_so(run):
    assert "0 of 0 rows" in show(run, "FROM ledger WHERE verdict = 'duplicate'")


def test_table_keeps_numbers_whole_where_space_is_short(run):
    sql = "SELECT repeat('long text ', 20) AS a, 123456789 AS b, repeat('q', 99) AS c"
    text = show(run, sql, width=50)
    assert "123456789" in text
    assert text.count("long") == 20
    assert text.count("q") == 99


EIGHT = """
SELECT 1234567 a, 2345678 b, 3456789 c, 4567890 d, 5678901 e, 6789012 f, 7890123 g, 8901234 h
"""


@pytest.mark.parametrize("width", [None, 200, 80, 40, 12, 3])
def test_one_row_has_every_number_whatever_the_width(run, width):
    words = show(run, EIGHT, width=width).split()
    for number in ("1234567", "2345678", "3456789", "7890123", "8901234"):
        assert number in words


@pytest.mark.parametrize(("width", "shown"), [(80, 7), (40, 3)])
def test_columns_that_do_not_fit_are_counted(run, width, shown):
    text = show(run, f"{EIGHT} FROM range(2)", width=width)
    assert f"8 columns, {shown} shown; --vertical shows all" in text
    assert all(len(line) <= width for line in text.splitlines())
    numbers = re.findall(r"\d{2,}", text)
    assert set(numbers) <= set(re.findall(r"\d{7}", EIGHT))


def test_a_pipe_gets_every_column_and_row_and_every_text_whole(run):
    sql = "SELECT range AS n, repeat('y', 3000) AS long, * FROM range(200), (FROM ledger LIMIT 1)"
    text = show(run, sql, limit=None, width=None)
    assert text.count("y" * 3000) == 200
    assert "few_words" in text
    assert "…" not in text
    assert "200 of 200 rows" in text


def test_long_texts_end_visibly_on_a_screen_and_are_counted(run):
    text = show(run, "SELECT repeat('z', 300) AS a, 1 AS b FROM range(2)", width=80)
    assert "2 texts end with …; --vertical shows all of them" in text
    assert show(run, "SELECT repeat('z', 300) AS a", vertical=True).count("z") == 300


def test_a_block_a_row(run):
    text = show(run, "SELECT range AS n, 'one two' AS text, NULL AS x FROM range(2)", vertical=True)
    assert text.split("\n")[1:4] == ["n     0", "text  one two", "x     NULL"]
    assert "2 of 2 rows" in text


def test_text_cannot_act_on_the_terminal(run):
    text = show(
        run, r"SELECT chr(27) || '[31m' || chr(8238) || '[bold]x[/bold]' AS evil, chr(7) AS b"
    )
    assert "␛[31m⟨U+202E⟩[bold]x[/bold]" in text
    assert not {"\x1b", "\u202e", "\x07"} & set(text)


def test_every_statement_is_run_and_shown(run):
    sql = "CREATE TEMP TABLE t AS SELECT 41 AS a; FROM t; SELECT a + 1 AS b FROM t; EXPLAIN FROM t"
    text = show(run, sql)
    assert "41" in text
    assert "42" in text
    assert "t" in text.split("1 of 1 rows")[-1]  # the plan


def test_of_several_statements_only_the_last_may_give_data(run):
    assert write(run, "CREATE TEMP VIEW v AS SELECT 7 AS a; FROM v", "csv") == "a\n7\n"
    for sql in ("SELECT 1; SELECT 2", "SELECT 1; CREATE TEMP TABLE x AS SELECT 1"):
        with pytest.raises(AssayError, match=r"of 2 statements give rows; --format csv takes one"):
            write(run, sql, "csv")
    with pytest.raises(AssayError, match="EXPLAIN draws a plan"):
        write(run, "EXPLAIN SELECT 1", "json")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", r'Parser Error: syntax error at or near "SELEC" LINE 1: SELEC 1 \(\^ SELEC\)'),
        ("FROM ledgerr", r'Did you mean "ledger"\?.*FROM relations lists'),
        ("SELECT\n few_word FROM ledger", r'Candidate bindings: .*"few_words".*LINE 2: few_word'),
        ("SELECT doc_id::INT FROM ledger", r"Conversion Error.*LINE 1: .*doc_id"),
        ("DROP TABLE tokens", "read-only"),
        ("CREATE TABLE mine AS SELECT 1", "read-only"),
        ("", "no SQL"),
        ("FROM 'https://example.org/x.parquet'", "does not exist|disabled by configuration"),
        ("FROM read_csv('/etc/passwd')", "disabled by configuration"),
        ("FROM read_text('{run}/../outside')", "disabled by configuration"),
        ("COPY (SELECT 1) TO '{run}/x.csv'", "COPY: assay query only reads"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO '{run}/x.csv'", "COPY: assay query only reads"),
        ("EXPORT DATABASE '{run}/x'", "EXPORT: assay query only reads"),
        ("INSTALL httpfs", "INSTALL: assay query only reads"),
        ("LOAD httpfs", "LOAD: assay query only reads"),
        ("ATTACH '{run}/x.duckdb'", "ATTACH: assay query only reads"),
        ("PREPARE q AS COPY (SELECT 1) TO '{run}/x'", "PREPARE: assay query only reads"),
        ("SELECT 1; COPY (SELECT 1) TO '{run}/x'", "COPY: assay query only reads"),
        ("PRAGMA profiling_output = '{run}/x'", "PRAGMA: assay query only reads|locked"),
        ("SET threads = 1", "locked"),
        ("SET enable_external_access = true", "locked"),
        ("FROM enable_logging(storage := 'file', storage_path := '{run}/x')", "locked"),
    ],
)
@pytest.mark.parametrize("form", ["table", "csv"])
def test_what_is_wrong_or_would_write_is_one_line(run, sql, message, form):
    before = sorted(run.rglob("*"))
    with pytest.raises(AssayError, match=message) as caught:
        ask(run, sql.format(run=run), form)
    assert "\n" not in str(caught.value)
    assert sorted(run.rglob("*")) == before


def test_queries_do_not_see_python_variables(run):
    secret = pa.table({"a": [1]})  # DuckDB would look in here for a table of this name
    with open_database(run) as connection, pytest.raises(duckdb.CatalogException, match="secret"):
        connection.execute("FROM secret")
    assert secret.num_rows == 1


def test_parameters_are_texts_that_stand_for_nothing_else(run):
    sql = "SELECT $a AS a, $b::INT + 1 AS b, '$a' AS c FROM ledger WHERE verdict = $verdict LIMIT 1"
    rows = write(run, sql, "csv", a="'; DROP TABLE x; --", b="41", verdict="kept")
    assert rows == "a,b,c\n'; DROP TABLE x; --,42,$a\n"
    assert "0 of 0 rows" in show(run, "FROM ledger WHERE doc_id = $id", id="' OR true --")
    assert "3 of 3 rows" in show(run, "FROM range($n)", n="3")


def test_files_are_whole_or_absent_and_never_in_the_run(run, tmp_path):
    question = Question(run, "FROM range(3)", limit=2)
    assert write_file(question, "parquet", tmp_path / "x.parquet") == (2, 3)
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == [{"range": 0}, {"range": 1}]
    assert write_file(question, "csv", tmp_path / "x.csv") == (2, 3)
    assert (tmp_path / "x.csv").read_text() == "range\n0\n1\n"
    failing = Question(run, "SELECT if(range = 1500, 'x', '1')::INT FROM range(2000)")
    for form in ("csv", "parquet"):
        with pytest.raises(AssayError, match="Conversion Error"):
            write_file(failing, form, tmp_path / "failed")
    assert {path.name for path in tmp_path.iterdir()} == {"x.csv", "x.parquet"}
    (shard, *_) = (run / "shards").glob("*.arrow")
    before = shard.read_bytes()
    with pytest.raises(AssayError, match="is in the run folder"):
        write_file(question, "arrow", shard)
    assert shard.read_bytes() == before


def test_json_of_the_house_has_every_row_exactly(run):
    sql = "SELECT range + 0.10::DECIMAL(38,10) AS x FROM range(2)"
    text = read_rows(Question(run, sql))
    assert text == '[{"x": 0.1000000000}, {"x": 1.1000000000}]'
    assert json.loads(text)[1] == {"x": 1.1}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "ascii"

    def isatty(self):
        return True


def test_a_screen_is_what_the_stream_is(monkeypatch):
    monkeypatch.setenv("COLUMNS", "77")
    monkeypatch.setenv("NO_COLOR", "1")
    screen = find_screen(Terminal())
    assert screen.width == 77
    assert screen.style.top.isascii()
    assert "\x1b" not in screen.style.name[0]
    assert (find_limit(None, screen), find_limit(0, screen), find_limit(7, screen)) == (50, None, 7)
    piped = find_screen(io.StringIO())
    assert piped.width is None
    assert find_limit(None, piped) is None
