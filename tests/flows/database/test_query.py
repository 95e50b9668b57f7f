"""Queries on a run: tables on the screen, CSV and JSON, wrong SQL, and hostile text."""

import io
import json

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from flows.database.query import make_plain, open_database, run_query, write_query
from tests.flows.runs import build_run
from weighting.errors import AssayError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("query") / "run")


def show(run, sql, limit=50, width=100):
    stream = io.StringIO()
    run_query(run, sql, Console(file=stream, width=width), limit)
    return stream.getvalue()


def write(run, sql, form):
    stream = io.StringIO()
    write_query(run, sql, stream, form)
    return stream.getvalue()


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
    sql = "SELECT repeat('long text ', 20) AS a, 123456789 AS b, repeat('x', 99) AS c"
    text = show(run, sql, width=40)
    assert "123,456,789" in text
    assert "…" in text


def test_text_cannot_act_on_the_terminal(run):
    text = show(
        run, r"SELECT chr(27) || '[31m' || chr(8238) || '[bold]x[/bold]' AS evil, chr(7) AS b"
    )
    assert "␛[31m⟨U+202E⟩[bold]x[/bold]" in text
    assert not {"\x1b", "\u202e", "\x07"} & set(text)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", r"syntax error .*tables and views: ablations, "),
        ("FROM nowhere", r"nowhere does not exist.*shards"),
        ("DROP TABLE tokens", "read-only"),
        ("", "no SQL"),
        ("FROM 'https://example.org/x.parquet'", "httpfs"),
    ],
)
@pytest.mark.parametrize("form", ["table", "csv"])
def test_wrong_sql_is_one_line(run, sql, message, form):
    with pytest.raises(AssayError, match=message) as caught:
        show(run, sql) if form == "table" else write(run, sql, form)
    assert "\n" not in str(caught.value)


def test_queries_do_not_see_python_variables(run):
    secret = pa.table({"a": [1]})  # DuckDB would look in here for a table of this name
    with open_database(run) as connection, pytest.raises(duckdb.CatalogException, match="secret"):
        connection.execute("FROM secret")
    assert secret.num_rows == 1


def test_csv_and_json(run):
    sql = """
    SELECT 1 AS a, NULL AS b, 'x,"y' AS c, '\\xff'::BLOB AS d, [1.5] AS e, 2::HUGEINT ** 99 AS f
    """
    assert write(run, sql, "csv") == 'a,b,c,d,e,f\n1,,"x,""y",ff,[1.5],6.338253001141147e+29\n'
    assert json.loads(write(run, sql, "json")) == {
        "a": 1,
        "b": None,
        "c": 'x,"y',
        "d": "ff",
        "e": [1.5],
        "f": 2.0**99,
    }


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.integers() | st.text(), inner),
    )
)
def test_every_value_becomes_json(value):
    json.dumps(make_plain(value), allow_nan=False)
    assert make_plain([value]) == [make_plain(value)]


def test_json_writes_every_row_on_a_line(run):
    lines = write(run, "FROM range(2500)", "json").splitlines()
    assert [json.loads(line)["range"] for line in lines] == list(range(2500))


def test_json_has_no_numbers_that_are_not_json(run):
    assert json.loads(write(run, "SELECT 'nan'::DOUBLE AS x", "json")) == {"x": None}


def test_json_refuses_to_lose_a_column(run):
    with pytest.raises(AssayError, match="column a stands twice"):
        write(run, "SELECT 1 AS a, 2 AS a", "json")


def test_unknown_format_names_the_valid_ones(run):
    with pytest.raises(AssayError, match="table, csv, json"):
        write(run, "FROM tokens", "xml")
