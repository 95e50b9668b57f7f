"""Items in documents are found where they are, and nowhere else."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contamination.index import build_index
from pipelines.contamination.items import Item
from tests.pipelines.contamination.planting import (
    ITEM_WORDS,
    OTHER_WORDS,
    list_spans,
    look,
    make_item,
    set_up,
)

QUESTION, ANSWER = " ".join(ITEM_WORDS[:30]), " ".join(ITEM_WORDS[30:35])
FILLER = " ".join(OTHER_WORDS[:50])
PLANT = f"{QUESTION} {ANSWER}"

distinct = st.lists(st.sampled_from(ITEM_WORDS), min_size=14, max_size=40, unique=True)
fillers = st.lists(st.sampled_from([*OTHER_WORDS, "é", "日本", ".", "\n\n"]), max_size=20).map(
    " ".join
)
few = st.lists(st.sampled_from(["ba", "ko", "lu"]), max_size=14)


@given(distinct, st.integers(0, 6), fillers, fillers, st.booleans())
def test_a_planted_item_is_found_with_score_1_exactly_where_it_is(
    words, answer, before, after, first
):
    item = make_item(" ".join(words[answer:]), " ".join(words[:answer]))
    start = len(before) + 1
    planted = f"{before}\n{item.texts[0]}\n{after}"
    documents = [planted, f"{before} {after}"] if first else [f"{before} {after}", "", planted]
    at = 0 if first else 2
    hits, _ = look(documents, [item])
    assert hits.pairs.documents_P.tolist() == [at]
    assert hits.pairs.scores_P.tolist() == [1.0]
    assert (hits.places.starts_K[0], hits.places.ends_K[0]) == (start, start + len(item.texts[0]))
    assert [list_spans(hits, d) for d in range(len(documents))] == [
        [(start, start + len(item.texts[0]))] if d == at else [] for d in range(len(documents))
    ]
    assert hits.scores_D.tolist() == [float(d == at) for d in range(len(documents))]


def find(document, item):
    """The scores of an item in a document."""
    return look([document], [make_item(item)])[0].pairs.scores_P.tolist()


def test_an_item_is_found_by_its_own_numbers():
    item = "Solve 12 + 35 - 8 * 4 + 19 / 2 - 3 + 44 - 17 * 2 + 9 + 61 = ?"
    assert find(f"{FILLER} {item} {FILLER}", item) == [1.0]
    assert find(f"{FILLER} {item.replace('1', '6').replace('4', '7')} {FILLER}", item) == []
    digits = str.maketrans(
        "0123456789", "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669"
    )
    assert find(item.translate(digits), item) == [1.0]


@pytest.mark.parametrize(
    ("item", "other"),
    [
        ("长江是亚洲最长的河流请问它最后注入哪里", "长江是中国最长的河流"),
        ("ทุกคนมีสิทธิในการดำรงชีวิตเสรีภาพและความมั่นคงแห่งตัวตน", "ทุกคนมีสิทธิในการ"),
        ("सूर्य के सबसे पास कौन सा ग्रह है और वह क्या है", "सूर्य के सबसे पास कौन"),
        ("من هو أقرب كوكب إلى الشمس وكم يوما تستغرق دورته حولها", "من هو أقرب كوكب"),
    ],
)
def test_items_of_other_scripts_are_found_in_the_midst_of_a_text(item, other):
    assert find(
        f"{other}{item}{other}" if " " not in item else f"{other} {item} {other}", item
    ) == [1.0]
    assert find(f"{other} {FILLER} {other}", item) == []
    assert find("\u200b".join(item), item) == [1.0]  # a zero-width space after each letter


@given(
    *(
        st.lists(st.sampled_from(choices), min_size=35, max_size=35)
        for choices in (
            [" ", "\n", ", ", ". ", " – ", "!\r\n\t", "; «"],
            [str.upper, str.lower, str.title],
        )
    )
)
def test_case_punctuation_and_white_space_do_not_matter(gaps, cases):
    words = zip(PLANT.split(), gaps, cases, strict=True)
    changed = "".join(f"{case(word)}{gap}" for word, gap, case in words)
    hits, _ = look([f"{FILLER}\n{changed} {FILLER}"], [make_item(QUESTION, ANSWER)])
    assert hits.scores_D.tolist() == [1.0]


@given(distinct, st.integers(0, 30))
def test_without_a_common_n_gram_nothing_is_found(words, start):
    item = make_item(" ".join(words))
    hits, _ = look([" ".join(words[start : start + 12]), FILLER, ""], [item], share=0)
    assert hits.scores_D.tolist() == [0.0, 0.0, 0.0]
    assert len(hits.pairs.documents_P) == len(hits.spans.places.starts_K) == 0
    assert hits.spans.offsets_D1.tolist() == [0, 0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 34), st.integers(13, 35)), min_size=2, max_size=5))
def test_more_of_an_item_scores_no_less(pieces):
    words = PLANT.split()
    passages = [" ".join(words[start : start + size]) for start, size in pieces]
    documents = [f" {OTHER_WORDS[0]} ".join(passages[:size]) for size in range(len(passages) + 1)]
    hits, _ = look(documents, [make_item(QUESTION, ANSWER)])
    assert (np.diff(hits.scores_D) >= 0).all()


def list_grams(words, length):
    return [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]


def list_kinds(item, wanted):
    """Return an item's n-grams of the question and those of the answer."""
    question, words = item.question.split(), " ".join(item.texts).split()
    length = min(wanted.words, len(words))
    if length < min(wanted.least_words, wanted.words):
        return set(), set()
    grams, asked = (
        {gram for gram in list_grams(part, length) if 2 * len(set(gram)) >= length}
        for part in (words, question)
    )
    return asked, grams - asked


def score_plainly(words, kinds, wanted):
    """Return the score of a document of some words for an item."""
    weights = (wanted.question, wanted.answer)
    kinds = [(weight, grams) for weight, grams in zip(weights, kinds, strict=True) if grams]
    total = sum(weight for weight, _ in kinds)
    shares = [sum(holds(words, gram) for gram in grams) / len(grams) for _, grams in kinds]
    weighed = sum(weight * share for (weight, _), share in zip(kinds, shares, strict=True))
    return weighed / total if total else 0.0


def holds(words, gram):
    return gram in list_grams(words, len(gram))


def cover_plainly(words, grams):
    """Return the numbers of the words that are in one of some n-grams."""
    return {
        at + more
        for gram in grams
        for at, found in enumerate(list_grams(words, len(gram)))
        if found == gram
        for more in range(len(gram))
    }


@settings(max_examples=300)
@given(
    st.lists(few.map(" ".join), max_size=4),
    st.lists(st.tuples(few.map(" ".join), few.map(" ".join)), min_size=1, max_size=4),
    st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.integers(1, 4),
)
def test_a_scan_is_what_a_plain_reading_says(documents, texts, question, answer, share, least):
    fields = {"question": question, "answer": answer, "share": share, "least_words": least}
    items = [make_item(asked, told, name=str(at)) for at, (asked, told) in enumerate(texts)]
    hits, index = look(documents, items, words=3, **fields)
    wanted = set_up(words=3, **fields)
    kinds = {item.id: list_kinds(item, wanted) for item in items}
    found = list_hits(hits, index)
    for at, document in enumerate(documents):
        words = document.split()
        scores = {name: score_plainly(words, kinds[name], wanted) for name in kinds}
        assert hits.scores_D[at] == max(scores.values())
        passing = {
            name: score
            for name, score in scores.items()
            if score >= share and any(holds(words, gram) for gram in set.union(*kinds[name]))
        }
        assert found.get(at, {}) == passing
        grams = set().union(*(set.union(*kinds[name]) for name in passing))
        assert mark_words(document, list_spans(hits, at)) == cover_plainly(words, grams)


def list_hits(hits, index):
    """Return the scores of each document's hits by item."""
    names = index.variants["item"].to_pylist()
    found = {}
    for document, variant, score in zip(
        hits.pairs.documents_P.tolist(),
        hits.pairs.variants_P.tolist(),
        hits.pairs.scores_P.tolist(),
        strict=True,
    ):
        found.setdefault(document, {})[names[variant]] = score
    return found


def mark_words(document, spans):
    """Return the numbers of the two-letter words that spans cover: whole ones, as few spans."""
    assert all(start % 3 == 0 and end % 3 == 2 for start, end in spans)
    assert all(start > end + 1 for (_, end), (start, _) in pairwise(spans))
    return {at // 3 for start, end in spans for at in range(start, end) if document[at] != " "}


def test_a_question_without_its_one_word_answer_scores_half():
    item = make_item(QUESTION, ITEM_WORDS[40])
    hits, _ = look([f"{FILLER} {QUESTION} {FILLER}", f"{QUESTION} {ITEM_WORDS[40]}"], [item])
    assert hits.scores_D.tolist() == [0.5, 1.0]
    assert hits.pairs.shares_Px2.tolist() == [[1.0, 0.0], [1.0, 1.0]]
    hits, _ = look([QUESTION], [item], question=1.0, answer=3.0, share=0.5)
    assert (hits.scores_D.tolist(), len(hits.pairs.documents_P)) == ([0.25], 0)


def test_half_of_an_item_is_found_where_the_recipe_wants_half():
    words = ITEM_WORDS[:40]
    half = " ".join(words[:27])  # 15 of 28 n-grams
    item = make_item(" ".join(words))
    assert look([half], [item], share=0.5)[0].pairs.scores_P.tolist() == [15 / 28]
    assert len(look([half], [item], share=0.55)[0].pairs.scores_P) == 0


def test_an_item_without_n_grams_of_a_kind_is_judged_by_the_other():
    hits, _ = look([PLANT], [make_item("", PLANT), make_item(PLANT, name="2")])
    assert hits.pairs.scores_P.tolist() == [1.0, 1.0]
    assert [[math.isnan(share) for share in shares] for shares in hits.pairs.shares_Px2] == [
        [True, False],
        [False, True],
    ]


def test_an_item_of_few_words_is_found_as_a_whole_or_not_at_all():
    for size, found in ((12, True), (8, True), (7, False)):
        words = ITEM_WORDS[:size]
        item = make_item(" ".join(words[:-1]), words[-1])
        cut = " ".join(words[:-1])
        hits, index = look([f"{FILLER} {item.texts[0]}", cut], [item])
        assert hits.scores_D.tolist() == [float(found), 0.0]
        assert len(index.hidden) == (not found)


def test_items_that_share_n_grams_are_all_found_and_the_best_one_is_named():
    items = [make_item(QUESTION, ITEM_WORDS[40 + at], name=str(at)) for at in range(3)]
    hits, index = look([f"{QUESTION} {FILLER} {items[1].texts[0]}"], items)
    named = index.variants["item"].to_pylist()
    assert [named[variant] for variant in hits.pairs.variants_P] == ["1", "0", "2"]
    assert hits.pairs.scores_P.tolist() == [1.0, 0.5, 0.5]
    assert [named[hits.pairs.variants_P[hit]] for hit in hits.spans.hits_S] == ["1", "1"]


def test_of_several_answers_the_one_that_is_there_counts():
    item = Item("s", "1", QUESTION, tuple(ITEM_WORDS[40:43]))
    hits, index = look([f"{QUESTION} {ITEM_WORDS[41]}", QUESTION], [item])
    answers = index.variants["answer"].to_pylist()
    assert hits.pairs.documents_P.tolist() == [0, 1]
    assert [answers[variant] for variant in hits.pairs.variants_P] == [
        ITEM_WORDS[41],
        ITEM_WORDS[40],
    ]
    assert hits.pairs.scores_P.tolist() == [1.0, 0.5]


def test_a_hit_is_shown_where_most_of_it_is_and_marked_wherever_it_is():
    quote = " ".join(PLANT.split()[5:20])
    far = " ".join(OTHER_WORDS[:100])
    document = f"{quote} {far} {PLANT} {far} {quote}"
    hits, _ = look([document], [make_item(QUESTION, ANSWER)])
    at = document.index(PLANT)
    assert (hits.places.starts_K[0], hits.places.ends_K[0]) == (at, at + len(PLANT))
    last = len(document)
    assert list_spans(hits, 0) == [
        (0, len(quote)),
        (at, at + len(PLANT)),
        (last - len(quote), last),
    ]


def test_places_are_counted_in_characters():
    before = "日本語 é 🍦 ﬁ"
    hits, _ = look([f"{before} {PLANT}"], [make_item(QUESTION, ANSWER)])
    assert list_spans(hits, 0) == [(len(before) + 1, len(before) + 1 + len(PLANT))]


def test_items_at_the_edges_of_two_documents_stay_apart():
    hits, _ = look([f"{FILLER} {PLANT}", f"{PLANT} {FILLER}"], [make_item(QUESTION, ANSWER)])
    assert [len(list_spans(hits, document)) for document in range(2)] == [1, 1]


def test_what_is_a_hit_in_one_document_is_not_marked_in_another_where_it_is_none():
    other = " ".join(ITEM_WORDS[100:120])
    items = [make_item(QUESTION, ANSWER), make_item(other, name="2")]
    piece = " ".join(PLANT.split()[:14])
    hits, _ = look([PLANT, f"{piece} {FILLER} {other}"], items)
    start = len(piece) + len(FILLER) + 2
    assert list_spans(hits, 1) == [(start, start + len(other))]


def test_an_item_cut_by_the_end_of_a_document_is_not_found_across_it():
    item = make_item(" ".join(ITEM_WORDS[:13]))
    hits, _ = look([" ".join(ITEM_WORDS[:6]), " ".join(ITEM_WORDS[6:13])], [item], share=0)
    assert hits.scores_D.tolist() == [0.0, 0.0]


def test_no_documents_and_no_item_long_enough():
    item = make_item("ba ko")
    assert look([], [make_item(QUESTION)])[0].spans.offsets_D1.tolist() == [0]
    hits, index = look([FILLER, "ba ko"], [item])
    assert hits.scores_D.tolist() == [0.0, 0.0]
    assert index.hidden["item"].to_pylist() == ["1"]


@given(st.permutations(range(6)))
def test_the_order_of_items_does_not_matter(order):
    items = [
        make_item(" ".join(ITEM_WORDS[20 * at : 20 * at + 20]), ITEM_WORDS[-1 - at], str(at % 4))
        for at in range(5)
    ]
    items.append(make_item(items[0].question, "other", "0"))
    index = build_index(items, set_up())
    other = build_index([items[at] for at in order], set_up())
    assert other.variants.equals(index.variants)
    for name in set(index._fields) - {"variants"}:
        assert np.array_equal(getattr(other, name), getattr(index, name)), name


def test_an_item_in_chinese_is_found_by_its_characters():
    question = "我把冰淇淋放进微波炉里加热以后它会变成什么样子"
    item = make_item(question, "融化了")
    planted = f"昨天下午，有人问：{question}？答案是 融化了。然后大家都笑了起来。"
    other = "昨天下午，有人问我把书放进书包里以后它会变成什么样子，没有人知道答案。"
    hits, index = look([planted, other], [item])
    assert len(index.hidden) == 0
    assert hits.pairs.documents_P.tolist() == [0]
    [(start, end)] = list_spans(hits, 0)
    assert planted[start:end].startswith("我把冰淇淋")
    assert planted[start:end].endswith("什么样子")
