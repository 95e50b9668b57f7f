"""Repeated passages of kept documents: marked, or deleted with a map back to what was read."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pipelines.curate.find_passages import rank_documents
from pipelines.curate.treat_passages import treat_passages
from pipelines.dedupe.passages import find_pieces
from pipelines.dedupe.repeats import count_repeats, pack_keys
from pipelines.edits.spans import map_starts
from pipelines.settings import CurateSettings, DedupeSettings, PassageSettings
from pipelines.words import Text
from weighting.contracts.documents import DOCUMENTS

LINE = "A line of text that stands in more than one of the documents."
MARK = PassageSettings(words=1000, documents=2)
DELETE = replace(MARK, delete=True)


def make_kept(texts, contaminated=()):
    """Kept documents; `contaminated` are their spans, one list each."""
    spans = [[{"start": a, "end": b, "item": "s"} for a, b in some] for some in contaminated]
    rows = [
        {
            "doc_id": f"{number:032x}",
            "source": "s",
            "locator": f"a: {number}",
            "text": text,
            "metadata": "{}",
            "edits": [],
            "passages": [],
            "contaminated": spans[number] if spans else [],
        }
        for number, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, schema=DOCUMENTS)


def treat(kept, wanted):
    """Treat documents as if they were all of a corpus."""
    settings = CurateSettings(dedupe=DedupeSettings(passages=wanted))
    pieces = find_pieces(Text.view(kept["text"].combine_chunks()), wanted)
    ranks = rank_documents(kept, settings) if wanted.delete else None
    repeats = count_repeats([pack_keys(pieces, ranks)], wanted.documents)
    treated = treat_passages(kept, repeats, wanted, settings)
    assert treated.schema == DOCUMENTS
    return treated.to_pylist()


def test_a_repeated_line_is_marked_where_it_stands():
    rows = treat(make_kept([f"{LINE}\nfirst", f"second\n{LINE}", "third"]), MARK)
    texts = [row["text"] for row in rows]
    assert texts == [f"{LINE}\nfirst", f"second\n{LINE}", "third"]
    for row in rows[:2]:
        (passage,) = row["passages"]
        assert row["text"][passage["start"] : passage["end"]].strip() == LINE
        assert passage["documents"] == 2
    assert rows[2]["passages"] == []


def test_nothing_repeated_changes_nothing():
    kept = make_kept([LINE, "something else"])
    for wanted in (MARK, DELETE):
        assert treat(kept, wanted) == kept.to_pylist()


def test_one_document_keeps_a_deleted_line_and_all_say_what_is_gone():
    texts = [f"first\n{LINE}\nend", f"{LINE}\nsecond", f"third\n{LINE}"]
    rows = treat(make_kept(texts), DELETE)
    assert sum(LINE in row["text"] for row in rows) == 1
    for row, text in zip(rows, texts, strict=True):
        if LINE in row["text"]:
            assert (row["text"], row["edits"]) == (text, [])
        else:
            assert row["edits"]
            assert row["text"].strip() in text.replace(LINE, "").replace("\n\n", "\n").strip()


@pytest.mark.parametrize("before", ["", "Some words of its own come first. "])
def test_contaminated_places_move_with_the_text_and_go_with_it(before):
    """An item before the deleted line stays, one after it moves, one within it goes."""
    own = f"{before}question\n{LINE}\nanswer"
    kept = make_kept([own, f"{LINE}\nother", LINE])
    question, line, answer = (own.index(text) for text in ("question", LINE, "answer"))
    spans = [(question, question + 8), (line + 2, line + 6), (answer, answer + 6)]
    kept = make_kept([own, f"{LINE}\nother", LINE], [spans, [], []])
    rows = treat(kept, DELETE)
    found = [rows[0]["text"][span["start"] : span["end"]] for span in rows[0]["contaminated"]]
    if LINE in rows[0]["text"]:  # it owns the line
        assert found == ["question", "line", "answer"]
    else:
        assert found == ["question", "answer"]
    assert [row["contaminated"] for row in rows[1:]] == [[], []]


def test_owners_differ_and_so_both_cases_are_met():
    """Of the two parameters above one document owns the line, and one does not."""
    owns = []
    for before in ("", "Some words of its own come first. ", "x", "y", "z"):
        texts = [f"{before}question\n{LINE}\nanswer", f"{LINE}\nother", LINE]
        owns.append(LINE in treat(make_kept(texts), DELETE)[0]["text"])
    assert set(owns) == {True, False}


def test_the_map_leads_from_what_is_left_to_what_was_read():
    """Two characters were cut off before every text already; the deletion adds to that."""
    texts = [f"{LINE}\nfirst", f"{LINE}\nsecond", f"third\n{LINE}\nend"]
    kept = make_kept(texts)
    cut = [{"start": 0, "end": 0, "source_start": 0, "source_end": 2}]
    field = DOCUMENTS.field("edits")
    column = pa.array([cut] * len(texts), field.type)
    kept = kept.set_column(kept.schema.get_field_index("edits"), field, column)
    rows = treat(kept, DELETE)
    assert sorted(LINE in row["text"] for row in rows) == [False, False, True]
    for row, text in zip(rows, texts, strict=True):
        source, left = "XX" + text, row["text"]
        spans = np.array([[*span.values()] for span in row["edits"]], np.int32)
        places = map_starts(spans, np.arange(len(left)))
        assert "".join(source[place] for place in places) == left
