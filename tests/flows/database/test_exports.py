"""Formats for programs: every digit, and nothing that another reader takes for something else."""

import io
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.database.answer import bind_answer
from flows.database.catalog import open_catalog
from flows.database.exports import WRITERS, spool, write_binary
from flows.database.statements import read_statements
from tests.flows.runs import build_run
from weighting.errors import AssayError


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    with open_catalog(build_run(tmp_path_factory.mktemp("exports") / "run")) as connection:
        yield connection


def ask(connection, sql):
    (statement,) = read_statements(connection, sql)
    return bind_answer(connection, statement, {})


def write(connection, sql, form):
    stream = io.StringIO()
    WRITERS[form](ask(connection, sql), None, stream)
    return stream.getvalue()


def read_back(connection, sql, form):
    stream = io.BytesIO()
    write_binary(ask(connection, sql), None, stream, form)
    stream.seek(0)
    if form == "parquet":
        return pq.read_table(stream)
    return pa.ipc.open_file(stream).read_all()


# SQL of a value, and what stands for it in CSV and in JSON.
VALUES = [
    ("2759450::DOUBLE", "2759450.0", "2759450.0"),
    ("1e300::DOUBLE", "1e+300", "1e+300"),
    ("0.1::FLOAT", "0.1", "0.1"),
    ("'nan'::DOUBLE", "nan", "null"),
    ("'-inf'::FLOAT", "-inf", "null"),
    ("9007199254740993", "9007199254740993", "9007199254740993"),
    ("12345678901234567890.123456789::DECIMAL(38,9)", *["12345678901234567890.123456789"] * 2),
    ("1.10::DECIMAL(38,10)", "1.1000000000", "1.1000000000"),
    ("170141183460469231731687303715884105727::HUGEINT", *[str(2**127 - 1)] * 2),
    ("340282366920938463463374607431768211455::UHUGEINT", *[str(2**128 - 1)] * 2),
    ("true", "true", "true"),
    ("DATE '2024-02-29'", "2024-02-29", '"2024-02-29"'),
    ("'infinity'::DATE", "infinity", '"infinity"'),
    ("DATE '12024-01-01'", "12024-01-01", '"12024-01-01"'),
    ("INTERVAL 14 MONTH", "1 year 2 months", '"1 year 2 months"'),
    ("TIMESTAMP_NS '2024-01-01 00:00:00.123456789'", *["2024-01-01 00:00:00.123456789"] * 2),
    ("TIMESTAMPTZ '2024-07-01 12:00:00+02'", *["2024-07-01 10:00:00+00"] * 2),
    ("TIME '24:00:00'", "24:00:00", '"24:00:00"'),
    ("'\\xff'::BLOB", "ff", '"ff"'),
    ("'00000000-0000-0000-0000-00000000000a'::UUID", *["00000000-0000-0000-0000-00000000000a"] * 2),
    ("'a'::ENUM('a', 'b')", "a", '"a"'),
    ("NULL", "", "null"),
    ("''", '""', '""'),
    ("'x,\"y\"'", '"x,""y"""', r'"x,\"y\""'),
    ("'é\n'", '"é\n"', r'"é\n"'),
    ("[1.50::DECIMAL(38,2), NULL]", *["[1.50,null]"] * 2),
    ("[0.1::FLOAT, 'inf'::FLOAT]", *["[0.1,null]"] * 2),
    ("{'FLOAT': 0.1::FLOAT, 'NaN': 'NaN'}", *['{"FLOAT":0.1,"NaN":"NaN"}'] * 2),
    ("[12345678901234567890.1::DECIMAL(38,1)]", *["[12345678901234567890.1]"] * 2),
    ("MAP {'k': [DATE '2024-01-01']}", *['{"k":["2024-01-01"]}'] * 2),
    ("'{\"a\":\n12345678901234567890123}'::JSON", *['{"a": 12345678901234567890123}'] * 2),
]


@pytest.mark.parametrize(("sql", "csv", "json_text"), VALUES)
def test_every_value_is_exact(connection, sql, csv, json_text):
    (row,) = write(connection, f"SELECT {sql} AS x", "jsonl").splitlines()
    text = row.removeprefix('{"x": ').removesuffix("}")
    assert text in (json_text, f'"{json_text}"')
    json.loads(row, parse_constant=pytest.fail)
    field = write(connection, f"SELECT {sql} AS x", "csv").removeprefix("x\n").removesuffix("\n")
    if field[1:2] in ("{", "["):  # as a whole in quotes, for its commas
        field = field[1:-1].replace('""', '"').replace("\n", " ")
    assert field == csv


def test_json_is_an_array_and_jsonl_an_object_a_line(connection):
    sql = "SELECT range AS n FROM range(2500)"
    rows = [{"n": n} for n in range(2500)]
    assert json.loads(write(connection, sql, "json")) == rows
    assert list(map(json.loads, write(connection, sql, "jsonl").splitlines())) == rows
    assert write(connection, "FROM range(0)", "json") == "[]\n"
    assert write(connection, "FROM range(0)", "jsonl") == ""
    assert write(connection, 'SELECT 1 AS "a,b", 2 AS c WHERE false', "csv") == '"a,b",c\n'


@pytest.mark.parametrize("form", ["json", "jsonl", "parquet"])
def test_no_column_is_lost_under_anothers_name(connection, form):
    ask_for = read_back if form == "parquet" else write
    with pytest.raises(AssayError, match="column a stands twice"):
        ask_for(connection, "SELECT 1 AS a, 2 AS a", form)
    assert write(connection, "SELECT 1 AS a, 2 AS a", "csv") == "a,a\n1,2\n"


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_parquet_and_arrow_keep_types_or_have_texts(connection, form):
    table = read_back(
        connection,
        """
        SELECT sum(9007199254740993) AS a, 340282366920938463463374607431768211455::UHUGEINT AS b,
            12345678901234567890.123456789::DECIMAL(38,9) AS c, TIMETZ '12:00:00+02' AS d,
            [0.5::FLOAT] AS e, '101'::BIT AS f, DATE '2024-02-29' AS "g ""h"
        """,
        form,
    )
    (row,) = table.to_pylist()
    assert row.pop('g "h').isoformat() == "2024-02-29"
    assert row == {
        "a": Decimal(9007199254740993),
        "b": str(2**128 - 1),
        "c": Decimal("12345678901234567890.123456789"),
        "d": "12:00:00+02",
        "e": [0.5],
        "f": "101",
    }


def test_intervals_are_texts_in_parquet_only(connection):
    sql = "SELECT INTERVAL 14 MONTH AS x"
    assert read_back(connection, sql, "parquet").to_pylist() == [{"x": "1 year 2 months"}]
    assert read_back(connection, sql, "arrow")["x"][0].as_py()[0] == 14


def test_a_number_that_does_not_fit_is_refused(connection):
    with pytest.raises(AssayError, match=r"does not fit .*CAST the column to VARCHAR"):
        read_back(connection, f"SELECT {2**127 - 1}::HUGEINT AS x", "parquet")


def test_a_stream_without_places_gets_the_same_bytes(connection):
    class Pipe(io.BytesIO):
        def tell(self):
            raise OSError

    pipe, answer = Pipe(), ask(connection, "FROM range(3)")
    assert spool(lambda file: write_binary(answer, None, file, "parquet"), pipe) == 3
    assert pq.read_table(io.BytesIO(pipe.getvalue())).num_rows == 3
