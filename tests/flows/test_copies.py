"""Copies, repeated passages and evaluation items in the catalog and on the page."""

import re

import pytest

from flows.database.shard_views import open_database
from tests.flows.report.test_page import read
from tests.flows.runs import build_run
from tests.flows.stories import ELSEWHERE, Doc, Hit, Story, name_doc
from weighting.contracts.counts import SetCounts


def ask(run, sql):
    with open_database(run) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A run without any of it."""
    return build_run(tmp_path_factory.mktemp("plain") / "run")


COPIES = Story(
    docs=[
        Doc("the lamp is lit", passages=[(4, 8, "line", 3), (9, 15, "run", 2)]),
        Doc("the lamp is out", copy_of=0, similarity=0.8),
        Doc("the lamp is lit", copy_of=0, unit=1),
        Doc("a lamp", copy_of=ELSEWHERE, similarity=0.9),
        Doc("one lamp more", unit=1, passages=[(4, 8, "line", 3)], contaminated=[(0, 3, "r:1")]),
        Doc("no lamps", rule="few_words"),
    ],
    bad=(),
    hits=[Hit(4, score=0.5), Hit(4, item="r2"), Hit(5), Hit(5, set="others", answer=None)],
    sets={
        name: SetCounts(9, hidden)
        for name, hidden in (("nothing", 9), ("others", 0), ("riddles", 1))
    },
)


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """A run with copies, repeated passages and evaluation items."""
    return build_run(tmp_path_factory.mktemp("copies") / "run", COPIES)


def test_clusters_have_their_size_and_what_is_left_of_them(copies):
    columns = "survivor, documents, kept, least_similarity, chars, doc_ids"
    own, elsewhere = ask(copies, f"SELECT {columns} FROM clusters")
    names = [name_doc(number) for number in range(3)]
    assert own == (names[0], 3, 1, pytest.approx(0.8), 45, names)
    assert elsewhere[:3] == (name_doc(ELSEWHERE), 1, 0)
    assert ask(copies, "FROM duplicates") == [
        ("equal shingles", 1, 15, 15),
        ("similar shingles", 1, 15, 15),
        ("of an earlier run", 1, 6, 6),
    ]


def test_a_copy_of_a_copy_is_not_said_to_be_similar(tmp_path):
    docs = [Doc("one"), *(Doc("two", copy_of=0, similarity=part) for part in (0.75, 0.7, 0.1))]
    run = build_run(tmp_path / "run", Story(docs=docs))
    assert ask(run, "SELECT kind, records FROM duplicates") == [
        ("similar shingles", 1),
        ("linked by other copies", 2),
    ]


def test_passages_have_their_texts(copies):
    assert ask(copies, "SELECT kind, documents, text FROM passages ORDER BY doc_id, start") == [
        ("line", 3, "lamp"), ("run", 2, "is lit"), ("line", 3, "lamp"),
    ]  # fmt: skip
    assert ask(copies, "FROM repeated_passages") == [
        ("line", "lamp", 3, 4),
        ("run", "is lit", 2, 6),
    ]


def test_long_passages_have_their_texts(tmp_path):
    text = "".join(f"é☕\n{number}\r\0" for number in range(4000))
    ends = [(0, len(text)), (9990, 10010), (10**4, 2 * 10**4), (9999, 10**4), (17, 23500)]
    passages = [(start, end, "run", 2) for start, end in ends]
    run = build_run(tmp_path / "run", Story(docs=[Doc(text, passages=passages), Doc("x")]))
    found = ask(run, 'SELECT start, "end", text FROM passages ORDER BY start, "end"')
    assert found == [(start, end, text[start:end]) for start, end in sorted(ends)]


def test_contamination_has_both_texts_and_the_verdict(copies):
    columns = "set, item, doc_id, score, question, answer, passage, locator, verdict"
    rows = ask(copies, f"SELECT {columns} FROM contamination ORDER BY ALL")
    texts = ("What melts", "in the microwave?", "it melted")
    others = ("What melts", None, "it melted", "in.jsonl: line 5", "dropped")
    assert rows == [
        ("others", "r1", name_doc(5), 1.0, *others),
        ("riddles", "r1", name_doc(4), 0.5, *texts, "in.jsonl: line 4", "kept"),
        ("riddles", "r1", name_doc(5), 1.0, *texts, "in.jsonl: line 5", "dropped"),
        ("riddles", "r2", name_doc(4), 1.0, *texts, "in.jsonl: line 4", "kept"),
    ]
    assert ask(copies, "FROM contaminated_sets") == [
        ("nothing", 9, 9, 0, 0, 0), ("others", 9, 0, 1, 1, 0), ("riddles", 9, 1, 2, 2, 1),
    ]  # fmt: skip


def test_where_nothing_was_found_the_views_are_empty(plain):
    views = ("clusters", "duplicates", "passages", "repeated_passages", "contamination")
    for view in (*views, "contaminated_sets"):
        assert ask(plain, f"FROM {view}") == []


def test_the_views_have_the_same_columns_with_and_without_items(plain, copies):
    described = "SELECT column_name, column_type FROM (DESCRIBE contamination)"
    assert ask(plain, described) == ask(copies, described)


def write_pair(folder, one, other, **options):
    """Build the run of a document and its copy; return the page."""
    docs = [Doc(one), Doc(other, unit=1, **{"copy_of": 0, "similarity": 0.9} | options)]
    return read(build_run(folder / "run", Story(docs=docs)))


def test_copies_are_shown_from_where_they_begin_to_differ(tmp_path):
    same = "".join(f"word {number} " for number in range(500))
    page = write_pair(tmp_path, f"{same}and lit", f"{same}and out")
    assert "2 documents, similarity from 0.90" in page.text
    assert "word 0 " not in page.text.partition("What single tokens weigh")[0]
    assert (
        "word 499 and lit the copy least like it books · in.jsonl: line 1 duplicate …" in page.text
    )
    assert "word 499 and out" in page.text
    assert "similar shingles 1 " in page.text
    assert "The largest of" not in page.text


def test_the_largest_clusters_come_first(tmp_path):
    copies = [Doc("x", copy_of=cluster) for cluster in range(9) for _ in range(cluster + 1)]
    run = build_run(tmp_path / "run", Story(docs=[*(Doc(f"{i}") for i in range(9)), *copies]))
    text = read(run).text
    assert re.findall(r"(\d+) documents, similarity from 1.00", text) == [
        "10",
        "9",
        "8",
        "7",
        "6",
        "5",
    ]
    assert "The largest of 9 clusters." in text


def test_equal_copies_are_shown_from_their_beginning(tmp_path):
    same = "".join(f"word {number} " for number in range(500))
    text = write_pair(tmp_path, same, same, similarity=1.0).text
    copy = text.partition("the copy least like it")[2]
    assert copy.startswith(" books · in.jsonl: line 1 duplicate word 0 word 1 ")
    assert "equal shingles 1 " in text


def test_a_survivor_of_an_earlier_run_is_named(tmp_path):
    text = write_pair(tmp_path, "new", "known already", copy_of=ELSEWHERE).text
    assert "1 document, similarity from 0.90" in text
    assert f"the one that stays {'e' * 32} in an earlier run the copy least" in text
    assert "duplicate known already" in text


def test_passages_are_those_that_fill_most(tmp_path):
    text = "All rights\treserved.\n\nThe lamp is lit, " + "and the horse is gone " * 30
    passages = [(0, 20, "line", 40), (22, 37, "run", 3), (22, 33, "run", 3), (22, 700, "run", 2)]
    page = read(build_run(tmp_path / "run", Story(docs=[Doc(text, passages=passages)])))
    table = page.text.partition("Passages of several kept documents")[2].partition("Those that")[0]
    assert table.split(" begins with ")[1].startswith("2 678 run The lamp is lit, and the horse")
    assert "… 40 20 line All rights reserved. 3 15 run The lamp is lit" in table
    assert "3 11 run" not in table  # there is a longer one of three documents


def test_items_stand_beside_the_documents(tmp_path):
    many = [Hit(1, item=f"{number:02}", score=0.5 + number / 100) for number in range(20)]
    hits = [*many, Hit(0, set="others", question="long " * 200 + "end", answer=None)]
    sets = {name: SetCounts(50, 2) for name in ("nothing", "others", "riddles")}
    page = read(build_run(tmp_path / "run", Story(hits=hits, sets=sets)))
    assert "nothing 50 2 0 0 0 others 50 2 1 1 1 riddles 50 2 20 1 1" in page.text
    assert "others r1: 100 % the item" in page.text
    assert "question 100 % answer – … g long" in page.text
    assert "long end the document books · in.jsonl: line 0 kept it melted" in page.text
    shown = re.findall(r"riddles (\d\d): (\d+) %", page.text)
    assert shown == [(f"{number:02}", f"{50 + number}") for number in range(19, 11, -1)]
    assert "What melts in the microwave? the document web" in page.text
    assert ("a", {"href": "#contamination"}) in page.tags


def test_sets_of_which_nothing_was_found(tmp_path):
    sets = {"riddles": SetCounts(50, 0)}
    text = read(build_run(tmp_path / "run", Story(sets=sets))).text
    assert "of which kept riddles 50 0 0 0 0 Records that could not be read" in text
