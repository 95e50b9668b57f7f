"""The views of the shards: there when they are asked about; damage is told with the file's name."""

import shutil

import pytest

from flows.database.query import Question, read_rows
from flows.database.shard_views import list_tables, open_database
from tests.flows.invoking import invoke
from tests.flows.runs import build_run
from weighting.errors import AssayError

VIEWS = {"shards", "token_weights", "explained"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("shards") / "run")


@pytest.mark.parametrize(
    ("sql", "are_there"),
    [
        (None, True),
        ("SELECT 1", False),
        ("FROM Token_Weights", True),
        ("FROM relations", True),
        ("SHOW TABLES", True),
        ("FROM tokens", False),
    ],
)
def test_views_are_there_where_sql_may_be_about_them(run, sql, are_there):
    with open_database(run, sql) as connection:
        assert VIEWS.issubset(list_tables(connection)) == are_there


def test_every_relation_and_column_is_described(run):
    with open_database(run) as connection:
        untold = "FROM relations SELECT name WHERE comment IS NULL"
        assert connection.execute(untold).fetchall() == []
        untold = "FROM relation_columns SELECT relation, name WHERE comment IS NULL"
        assert connection.execute(untold).fetchall() == []
        names = {name for (name,) in connection.execute("SELECT name FROM relations").fetchall()}
    assert names > VIEWS


def test_a_special_token_has_one_name(run):
    sql = """
    SELECT DISTINCT explained.token, tokens.token AS other
    FROM explained JOIN tokens USING (token_id) WHERE 'special' IN reasons
    """
    assert read_rows(Question(run, sql)) == '[{"token": "<|endoftext|>", "other": "<|endoftext|>"}]'


DAMAGE = {
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "foreign": lambda data: b"no shard" * 20,
    "without its end": lambda data: data[:-8],
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("which", [0, -1])
def test_a_damaged_shard_is_one_line_with_its_name(run, tmp_path, damage, which):
    copy = shutil.copytree(run, tmp_path / "run")
    path = sorted((copy / "shards").glob("*.arrow"))[which]
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(AssayError, match=rf"{path.name}: no whole Arrow file") as caught:
        invoke("query", copy, "SELECT count(*), sum(weight) FROM token_weights")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("folder", ["documents", "ledger", "signals"])
def test_a_damaged_table_is_one_line_with_its_name(run, tmp_path, folder):
    copy = shutil.copytree(run, tmp_path / "run")
    read_rows(Question(copy, "SELECT 1"))  # the database is built
    for path in (copy / folder).glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(AssayError, match=rf"{folder}/.*\.parquet") as caught:
        invoke("query", copy, f"FROM {folder}")
    assert "\n" not in str(caught.value)
