"""`assay query` and the database of a run."""

import json

import duckdb

from tests.flows.invoking import invoke


def test_the_database_answers_the_three_questions(finished):
    run, _ = finished
    with duckdb.connect(str(run / "assay.duckdb"), read_only=True) as connection:

        def ask(sql):
            return connection.execute(sql).fetchall()

        heaviest = ask("select token, mean_weight from tokens order by mean_weight desc limit 20")
        rules = ask("select rule, tokens from rules where documents > 0")
        sources = ask("select source, sum(weight_mass) from sources group by source")
        ledger = ask("select count(*) from ledger")
    assert len(heaviest) == 20
    assert [rule for rule, tokens in rules if tokens > 0] == ["gopher_words"]
    assert sorted(source for source, _ in sources) == ["s0", "s1", "s2"]
    assert ledger == [(68,)]


def test_query_prints_a_table(finished):
    run, _ = finished
    output = invoke("query", run, "select count(*) as records from ledger")
    assert "records" in output
    assert "68" in output
    rows = invoke("query", run, "select 1 as one", "--format", "json")
    assert json.loads(rows.splitlines()[0]) in ({"one": 1}, [{"one": 1}])
