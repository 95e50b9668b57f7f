"""docs/queries.md: every query runs as it stands there, and gives rows of the columns it names."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from flows.database.shard_views import open_database
from tests.flows.runs import build_run
from tests.flows.stories import DOCS, MODELLED, Hit, Story, name_doc
from weighting.contracts.counts import SetCounts

PAGE = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sql\n(.*?)```\nColumns: (.*?)\n(?:\n|$)", PAGE + "\n", re.DOTALL)


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    marked = replace(DOCS[2], passages=[(2, 20, "run", 3)], contaminated=[(40, 55, "r1")])
    story = Story(
        docs=[*DOCS[:2], marked, *DOCS[3:]],
        signals=MODELLED,
        hits=[Hit(2)],
        sets={"riddles": SetCounts(3, 0)},
    )
    run = build_run(tmp_path_factory.mktemp("queries") / "run", story)
    with open_database(run) as connection:
        yield connection


def test_every_block_names_its_columns():
    assert len(BLOCKS) == PAGE.count("```sql")
    assert len(BLOCKS) >= 14


@pytest.mark.parametrize(("sql", "columns"), BLOCKS, ids=[sql.split("\n")[0] for sql, _ in BLOCKS])
def test_a_query_of_the_page_gives_rows(connection, sql, columns):
    result = connection.execute(sql.replace("DOC_ID", name_doc(2)))
    names = [column[0] for column in result.description]
    if "PIVOT" in sql:  # whose columns are values
        assert names == [columns, "books", "web"]
    else:
        assert names == re.split(r",\s+", columns)
    assert result.fetchall()
