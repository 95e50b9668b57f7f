"""What was found, in tables."""

import pyarrow as pa

from pipelines.contamination.hits import (
    HITS,
    PASSAGE_CHARS,
    list_contaminated,
    tabulate_hits,
)
from pipelines.contamination.items import Item
from tests.pipelines.contamination.planting import ITEM_WORDS, OTHER_WORDS, look, make_item
from weighting.contracts.documents import CONTAMINATED

QUESTION, ANSWER = " ".join(ITEM_WORDS[:20]), "bako luta"
FILLER = " ".join(OTHER_WORDS[:30])


def test_a_hit_shows_both_texts():
    documents = [FILLER, f"é {QUESTION} {ANSWER.upper()}. {FILLER}"]
    hits, index = look(documents, [make_item(QUESTION, ANSWER, "7", "puzzles")])
    table = tabulate_hits(hits, ["d0", "d1"], pa.array(documents), index)
    assert table.schema == HITS
    end = 2 + len(QUESTION) + 1 + len(ANSWER)
    assert table.to_pylist() == [
        {
            "doc_id": "d1",
            "set": "puzzles",
            "item": "7",
            "score": 1.0,
            "question_share": 1.0,
            "answer_share": 1.0,
            "start": 2,
            "end": end,
            "passage": documents[1][2:end],
            "question": QUESTION,
            "answer": ANSWER,
        }
    ]


def test_what_an_item_has_not_is_null():
    hits, index = look([QUESTION], [Item("s", "1", QUESTION, ())])
    row = tabulate_hits(hits, ["d"], pa.array([QUESTION]), index).to_pylist()[0]
    assert (row["question_share"], row["answer_share"], row["answer"]) == (1.0, None, None)


def test_a_long_passage_is_shown_by_its_ends():
    long = " ".join(ITEM_WORDS[:300])
    hits, index = look([long], [make_item(long)])
    row = tabulate_hits(hits, ["d"], pa.array([long]), index).to_pylist()[0]
    head, tail = row["passage"].split(" … ")
    assert long.startswith(head)
    assert long.endswith(tail)
    assert abs(len(head) - len(tail)) <= 1
    assert PASSAGE_CHARS - 2 <= len(row["passage"]) <= PASSAGE_CHARS
    assert (row["start"], row["end"]) == (0, len(long))


def test_every_document_has_a_list_of_spans():
    other = " ".join(ITEM_WORDS[100:120])
    documents = ["", f"{other} {FILLER} {QUESTION}", FILLER]
    items = [make_item(QUESTION, name="1"), make_item(other, name="2", of="t")]
    hits, index = look(documents, items)
    spans = list_contaminated(hits, index)
    assert spans.type == CONTAMINATED
    start = documents[1].index(QUESTION)
    assert spans.to_pylist() == [
        [],
        [
            {"start": 0, "end": len(other), "item": "t:2"},
            {"start": start, "end": start + len(QUESTION), "item": "s:1"},
        ],
        [],
    ]


def test_nothing_found_makes_empty_tables():
    hits, index = look([FILLER], [make_item(QUESTION)])
    assert tabulate_hits(hits, ["d"], pa.array([FILLER]), index).equals(HITS.empty_table())
    assert list_contaminated(hits, index).to_pylist() == [[]]
    hits, index = look([], [make_item(QUESTION)])
    assert list_contaminated(hits, index).equals(pa.array([], CONTAMINATED))
