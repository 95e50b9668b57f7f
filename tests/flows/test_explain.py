"""The explain path: the story of a document and of a token, and the arithmetic of its weight."""

import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from flows.database.shard_views import open_database
from flows.explain import explain_document, explain_token, tell, tell_plain
from flows.explain.arithmetic import Corpus, describe_weight, weigh_again
from flows.explain.records import Kept
from flows.explain.tokens import rank
from tests.flows.runs import build_run
from tests.flows.stories import (
    DOCS,
    ELSEWHERE,
    EOS,
    MODELLED,
    Bad,
    Doc,
    Hit,
    Story,
    encode,
    locate,
    measure,
    name_doc,
    weigh,
)
from tests.flows.tokens import Census
from weighting.contracts.counts import SetCounts
from weighting.errors import AssayError
from weighting.policies.golden import GOLDEN
from weighting.policies.registry import POLICIES, read_params
from weighting.storage.files import read_json

MARKED = replace(DOCS[2], passages=[(2, 20, "run", 3)], contaminated=[(40, 55, "r1")])
STORY = Story(
    docs=[
        *DOCS[:2],
        MARKED,
        *DOCS[3:],
        Doc("Rain in Paris", copy_of=0, similarity=0.9),
        Doc("Old news", copy_of=ELSEWHERE, similarity=0.8),
        Doc("Both rules", rule="few_words", also="odd_words", value=1.5),
    ],
    signals=MODELLED,
    policy="soft",
    hits=[Hit(2)],
    sets={"riddles": SetCounts(3, 0)},
)
MICROWAVE = name_doc(2)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("explain") / "run", STORY)


def show(run, doc_id, position=None, width=80, **options):
    stream = io.StringIO()
    console = Console(file=stream, width=width, **options)
    if position is None:
        explain_document(run, doc_id, console)
    else:
        explain_token(run, doc_id, position, console)
    return stream.getvalue()


def squeeze(text):
    return " ".join(text.split())


def test_a_beginning_names_a_document(run):
    assert tell(run, "00000002")["doc_id"] == MICROWAVE
    assert tell(run, MICROWAVE)["doc_id"] == MICROWAVE


@pytest.mark.parametrize(
    ("doc_id", "message"),
    [
        ("ffffff", r"no document 'ffffff'"),
        ("00000", "at least 6 characters"),
        ("000000", rf"several documents: {name_doc(0)}, .*{name_doc(4)}, …"),
        ("bad1000", r"bad10000, bad10001$"),
        ("%_____", "no document"),
    ],
)
def test_an_id_that_names_none_or_several(run, doc_id, message):
    with pytest.raises(AssayError, match=message):
        tell(run, doc_id)


@pytest.mark.parametrize(
    ("number", "position", "message"),
    [
        (2, -1, "valid: 0 to 55"),
        (2, 56, "valid: 0 to 55"),
        (4, 0, "not kept but dropped"),
        (6, 0, "not kept but duplicate"),
    ],
)
def test_a_token_that_is_not_there(run, number, position, message):
    with pytest.raises(AssayError, match=message):
        tell(run, name_doc(number), position)


def test_a_token_has_its_place_in_text_and_source(run):
    story = tell(run, name_doc(1), 4)  # the second byte of é
    assert story["context"] | {"after": ""} == {
        "before": "Caf",
        "token": "é",
        "after": "",
        "more_before": False,
        "more_after": False,
    }
    assert story["place"] == {"start": 3, "end": 4, "source_start": 3, "source_end": 4}
    assert story["type"]["count_train"] == 1
    assert story["type"]["decile"] == 10
    end = tell(run, name_doc(1), 30)
    assert end["context"]["token"] == ""
    assert end["place"]["source_end"] == len(DOCS[1].text)


def test_signals_of_a_token_are_those_of_the_view(run):
    story = tell(run, MICROWAVE, 7)
    with open_database(run) as connection:
        result = connection.execute("FROM explained WHERE doc_id = ? AND position = 7", [MICROWAVE])
        values = result.fetchone()
        assert values is not None
        row = dict(zip([c[0] for c in result.description], values, strict=True))
    for signal in story["signals"]:
        assert row[signal["name"]] == pytest.approx(signal["value"], abs=1e-6)
    assert len(story["signals"]) == 12
    assert (row["trajectory"], row["weight"]) == (story["trajectory"], story["weight"]["weight"])
    assert row["reasons"] == story["reasons"]
    given = measure(encode(MARKED.text))
    assert row["nll"] == given["nll"][7]


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_the_arithmetic_ends_in_the_number_of_the_shard(policy):
    params = read_params(
        policy, {"seed": 7} if policy in ("random", "shuffled") else {"mix": 0.125}
    )
    census = Census(replace(STORY, policy=policy, params=params))
    facts = census.describe_weighing()
    corpus = Corpus(census.types, census.facts, EOS)
    for number, doc in census.docs.items():
        record = {"doc_id": name_doc(number), "split": doc.split}
        kept = keep(census, number)
        weighing = weigh_again(corpus, facts, record, kept)
        for position in range(len(kept.ids_N)):
            weight = describe_weight(weighing, policy, kept, position)
            permuted = policy == "shuffled" and kept.ids_N[position] != EOS
            assert weight.reproduced is (None if permuted else True)
            assert permuted or weight.steps[-1].value == pytest.approx(weight.weight)


def keep(census, number):
    at = census.find(number)
    return Kept(
        text=census.docs[number].text,
        edits=[],
        ids_N=census.ids_N[at],
        weights_N=census.weights_N[at],
        reasons_N=census.reasons_N[at],
        starts_N=np.array(locate(census.docs[number].text)),
        copies_N=census.copies_N[at],
        contaminated_N=census.contaminated_N[at],
        stored={name: values[at] for name, values in census.stored.items()},
    )


def test_permuted_weights_are_told(tmp_path):
    folder = build_run(tmp_path / "run", replace(STORY, policy="shuffled"))
    text = squeeze(show(folder, MICROWAVE, 5))
    assert "permuted: " in text
    assert "soft: exp of weighed signals" in text


def test_each_step_follows_from_the_one_before(run):
    told = read_json(run / "manifest.json")["counts"]["weights"]["weighing"]["splits"]["train"]
    weight = tell(run, MICROWAVE, 5)["weight"]
    values = {step["name"]: step["value"] for step in weight["steps"]}
    assert values["relative"] == pytest.approx(values["raw"] / told["mean"])
    assert values["mixed"] == pytest.approx(0.25 + 0.75 * values["relative"])
    assert values["damped"] == pytest.approx(values["mixed"] / 3)  # three documents hold it
    assert values["weight"] == pytest.approx(values["damped"] / told["divisor"])
    assert tell(run, MICROWAVE, 45)["weight"]["weight"] == 0  # of an evaluation item
    assert [row["signal"] for row in weight["inputs"]] == ["ngram_gain", "surprisal"]


def test_a_weight_that_does_not_follow_is_told(tmp_path):
    folder = build_run(tmp_path / "run", Story(signals=MODELLED))  # weights of no policy
    weight = tell(folder, name_doc(0), 3)["weight"]
    assert weight["reproduced"] is False
    assert weight["weight"] == weigh(encode(DOCS[0].text))[3]
    assert "do not belong together" in show(folder, name_doc(0), 3)


def test_a_mix_that_was_raised_is_told(tmp_path):
    params = read_params("top_k", {"share": 0.01, "least_effective": 0.5})
    folder = build_run(tmp_path / "run", replace(STORY, policy="top_k", params=params))
    assert "raised from 0 for an effective share of 0.5" in squeeze(show(folder, MICROWAVE, 3))


def test_a_document_that_was_not_selected(tmp_path):
    folder = build_run(tmp_path / "run", replace(STORY, left=[1]))
    assert tell(folder, name_doc(1))["weights"]["selected"] is False
    assert "left out by the selection: not among the richest" in show(folder, name_doc(1))
    assert "selected by golden" in squeeze(show(folder, name_doc(0)))
    weight = tell(folder, name_doc(1), 3)["weight"]
    assert (weight["weight"], weight["reproduced"]) == (None, None)
    assert "would weigh" in weight["note"]
    with open_database(folder) as connection:
        sql = "SELECT DISTINCT weight FROM explained WHERE doc_id = ?"
        assert connection.execute(sql, [name_doc(1)]).fetchall() == [(None,)]


def test_without_a_sidecar(tmp_path):
    folder = build_run(tmp_path / "run", Story(sidecar=False, left=[1]))
    text = squeeze(show(folder, name_doc(0), 3))
    assert "not known: the run keeps no signals" in text
    assert "cannot be computed anew" in text
    assert "golden Told by the words before: they make it far likelier" in text
    assert "id 97" in show(folder, name_doc(0))
    with pytest.raises(AssayError, match="was not selected and the run keeps no signals"):
        tell(folder, name_doc(1), 3)


def test_a_kept_document(run):
    story = tell(run, MICROWAVE)
    weights = story["weights"]
    assert weights["reasons"] | {"rare": 0, "golden": 0} == {
        "rare": 0, "golden": 0, "duplicate_span": 18, "contaminated": 15, "special": 1,
    }  # fmt: skip
    heaviest = weights["heaviest"][0]
    assert heaviest["weight"] == weights["high"]
    assert (heaviest["token"], heaviest["position"]) == ("w", 31)
    assert weights["lightest"][0]["weight"] == 0
    assert story["input"]["hash"] == "ab" * 16
    assert story["items"][0]["passage"] == "it melted"
    text = squeeze(show(run, MICROWAVE))
    assert "input in.jsonl, 1,234 bytes, hash abababababab split train" in text
    assert "put my ice cream in the micro⟦w⟧ave and then it melted." in text
    assert "of weight 0 15 tokens" in text


def test_dropped_copied_and_unreadable_records(run):
    text = squeeze(show(run, name_doc(8)))
    assert "few_words 1.5, kept if at least 3 odd_words 1.5, without bounds" in text
    assert f"copy of {name_doc(0)}, books, in.jsonl: line 0 similarity 0.90" in squeeze(
        show(run, name_doc(6))
    )
    assert "in an earlier run" in show(run, name_doc(7))
    assert "copies of it 1, similarity from 0.90" in squeeze(show(run, name_doc(0)))
    text = squeeze(show(run, "bad10001"))
    assert "error bad_utf8 message unexpected end of data reader jsonl" in text


def test_the_bounds_of_a_dropped_record_are_those_for_its_language(tmp_path):
    rules, thai = ({"odd_words": {"min": low, "max": high}} for low, high in ((3, None), (2, 9)))
    bounds = {"rules": rules, "languages": {"th": thai}}
    docs = [Doc("a"), Doc("b", rule="odd_words", value=1.0, judged_as="th")]
    docs.append(Doc("c", rule="odd_words", value=1.0, judged_as="en"))
    run = build_run(tmp_path / "run", Story(docs=docs, recipe={"name": "x", **bounds}))
    text = squeeze(show(run, name_doc(1)))
    assert "judged as th" in text
    assert "odd_words 1, kept if at least 2 and at most 9" in text
    assert squeeze(show(run, name_doc(2))).endswith("odd_words 1, kept if at least 3")


@pytest.mark.parametrize("width", [80, 120])
def test_fits_the_screen_and_marks_the_token_without_colour(run, width):
    text = show(run, MICROWAVE, 31, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "micro⟦w⟧ave" in text
    assert ("(BALD)" in text) == (width == 120)
    assert "\x1b" not in text
    assert "\x1b[" in show(run, MICROWAVE, 31, force_terminal=True)
    assert "⟦end of text⟧" in show(run, MICROWAVE, 55)


def test_numbers_stay_whole_where_space_is_short(run):
    lines = show(run, MICROWAVE, width=40).splitlines()
    row = next(line for line in lines if line.lstrip().startswith("31 ")).split()
    assert row[0] == "31"
    assert float(row[1]) == pytest.approx(tell(run, MICROWAVE)["weights"]["high"], abs=1e-3)


def test_hostile_text_is_shown_as_text(tmp_path):
    evil = "a\x1b[31m[bold]\u202eb\x07"
    docs = [Doc(evil, source=evil), Doc("x"), Doc(evil, rule="few_words")]
    folder = build_run(
        tmp_path / "run",
        Story(docs=docs, bad=[Bad(evil, message=evil)], hits=[Hit(0, evil, evil, passage=evil)]),
    )
    pages = [show(folder, name_doc(0), 3), *(show(folder, name_doc(i)) for i in (0, 2))]
    for text in [*pages, show(folder, "bad10000")]:
        assert "␛[31m[bold]⟨U+202E⟩" in text.replace("⟦", "").replace("⟧", "")
        assert not {"\x1b", "\u202e", "\x07"} & set(text)


def test_json_is_the_same_story(run):
    for position in (None, 7):
        told = json.dumps(tell_plain(run, MICROWAVE, position), allow_nan=False)
        assert json.loads(told) == json.loads(json.dumps(tell(run, MICROWAVE, position)))


def test_a_quarantined_record_whose_file_is_gone(run, tmp_path):
    moved = tmp_path / "run"
    shutil.copytree(run, moved)
    for path in (moved / "quarantine").glob("*"):
        path.write_bytes(path.read_bytes()[:0])
    assert tell(moved, "bad10000")["error"]["error"] == "bad_json"


def test_facts_without_tokens_are_no_facts(tmp_path):
    folder = build_run(tmp_path / "run", Story(docs=[Doc("", split="train"), Doc("")], bad=()))
    story = tell(folder, name_doc(0), 0)
    assert (story["type"]["token_id"], story["reasons"]) == (EOS, ["special"])
    assert {row["mean"] for row in story["signals"]} == {None}


def test_ranks_count_tokens_below():
    bins = [(0.0, 1.0, 1), (1.0, 2.0, 3)]
    assert rank(-5, bins) == 0
    assert rank(1.0, bins) == 0.25
    assert rank(1.5, bins) == 0.625
    assert rank(9, bins) == 1
    assert rank(1, []) is None


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.lists(st.floats(-2, 10), min_size=2))
def test_ranks_rise_with_the_value(counts, values):
    bins = [(float(low), low + 1.0, count) for low, count in enumerate(counts)]
    ranks = [found for value in sorted(values) if (found := rank(value, bins)) is not None]
    assert len(ranks) == len(values)
    assert ranks == sorted(ranks)
    assert 0 <= ranks[0] <= ranks[-1] <= 1


def test_the_golden_rule_is_told_side_by_side(run):
    story = tell(run, MICROWAVE, 50)
    sides, values = (
        story["golden"]["sides"],
        {one["name"]: one["value"] for one in story["signals"]},
    )
    rule = GOLDEN[story["golden"]["rule"]]
    assert [side["signal"] for side in sides] == [one.signal for one in rule.sides] + [rule.gain]
    assert [side["value"] for side in sides] == [values[side["signal"]] for side in sides]
    assert sides[-1]["bound"] == "golden_share"
    assert tell(run, MICROWAVE, 55)["golden"] is None  # the end of text


def test_all_sides_hold_of_golden_tokens_and_of_no_others(run):
    verdicts = set()
    for position in range(20):
        story = tell(run, MICROWAVE, position)
        held = all(side["holds"] for side in story["golden"]["sides"])
        assert held == ("golden" in story["reasons"])
        verdicts |= {(side["bound"], side["holds"]) for side in story["golden"]["sides"]}
    assert len(verdicts) > 3  # not all the same


def test_the_page_says_which_side_holds_and_where_the_word_stood(run):
    text = squeeze(show(run, MICROWAVE, 50))
    story = tell(run, MICROWAVE, 50)["golden"]
    assert f"By rule {story['rule']} ({story['words']}) it is not golden" in text
    assert "fails" in text
    assert "its word before" not in text


def test_a_word_that_was_said_before_is_told(tmp_path):
    text = "The murderer was Henry. They say that Henry"
    run = build_run(tmp_path / "run", Story(docs=[Doc(text), Doc("b")], signals=MODELLED))
    at = text.rindex("Henry")
    assert f"its word before {at - text.index('Henry')} tokens before" in squeeze(
        show(run, name_doc(0), at)
    )
