"""SQL taken apart: where statements end, what they explain, and whose parameters they are."""

import duckdb
import pytest

from flows.database.statements import bind, read_parameters, read_statements
from weighting.errors import AssayError


def read(sql):
    return read_statements(duckdb.connect(), sql)


@pytest.mark.parametrize(
    ("sql", "texts"),
    [
        ("SELECT 1; -- x ;", ["SELECT 1"]),
        ("SELECT 'é;' ; ; SELECT 2 /* ; */ ;", ["SELECT 'é;'", "SELECT 2 /* ; */"]),
        ("SELECT $$;$$;;", ["SELECT $$;$$"]),
        ("FROM range(3) -- ; ñ\n;", ["FROM range(3)"]),
    ],
)
def test_statements_end_where_they_end(sql, texts):
    found = [statement.sql for statement in read(sql)]
    assert [text.removesuffix(" /* ; */") for text in found] == [
        text.removesuffix(" /* ; */") for text in texts
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "explain select 1",
        "EXPLAIN (ANALYZE) FROM (SELECT 1)",
        "explain /* (copy */ analyze (select 1)",
        "-- a plan\nexplain (format json) select 1",
    ],
)
def test_a_plan_is_of_what_only_reads(sql):
    (statement,) = read(sql)
    assert statement.is_plan
    copied = sql.replace("FROM (SELECT 1)", "select 1").replace("(select 1)", "select 1")
    with pytest.raises(AssayError, match="COPY: assay query only reads"):
        read(copied.replace("select 1", "copy (select 1) to 'x'"))


@pytest.mark.parametrize(
    "sql",
    ["CHECKPOINT", "VACUUM", "BEGIN", "DETACH x", "EXECUTE q", "COPY FROM DATABASE a TO b"],
)
def test_what_does_more_than_read_is_refused(sql):
    with pytest.raises(AssayError, match=rf"^{sql.split()[0]}: assay query only reads"):
        read(sql)


def test_pivots_and_what_prepares_for_rows_are_let_through():
    kinds = [
        statement.gives_rows
        for statement in read("CREATE TEMP TABLE t AS SELECT 1 a; PIVOT t ON a; SET VARIABLE x = 1")
    ]
    assert kinds == [False, True, False]


def test_each_statement_gets_its_own_parameters():
    statements = read("CREATE TEMP TABLE t AS SELECT $a; SELECT $b, $a")
    assert list(bind(statements, {"a": "1", "b": "2"})) == [{"a": "1"}, {"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("sql", "given", "message"),
    [
        ("SELECT $a", {}, r"\$a has no value: give --param a=value"),
        ("SELECT 1", {"a": "1"}, r"--param a: the SQL has no \$a"),
        ("SELECT ?", {}, "parameters have names here"),
    ],
)
def test_parameters_and_values_must_meet(sql, given, message):
    with pytest.raises(AssayError, match=message):
        list(bind(read(sql), given))


def test_words_of_parameters():
    assert read_parameters(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for words, message in ((["a"], "name=value"), (["1=2"], "name=value"), (["a=1"] * 2, "twice")):
        with pytest.raises(AssayError, match=message):
            read_parameters(words)
