"""The HTML report: content, safety against hostile text, structure, samples."""

import base64
import hashlib
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.database.shard_views import open_database
from flows.report import write_report
from flows.report.corpus.rules import read_overlap
from flows.report.tokens.heatmap import DOCUMENTS, OPEN, TOKENS, choose
from flows.report.tokens.token_texts import spell
from flows.visible import show
from tests.flows.ablations import write_ablation
from tests.flows.runs import build_run
from tests.flows.stories import MODELLED, Bad, Doc, Hit, Story
from weighting.contracts.counts import SetCounts
from weighting.errors import AssayError, BrokenContract
from weighting.storage.files import read_json, write_json

VOID = {"meta", "input"}
EVIL = (
    "<script>alert(1)</script>",
    "</script></style></title><script>alert(2)</script>",
    '" onmouseover="alert(3)" x="',
    "' onclick='alert(4)'",
    "<img src=https://example.org/x.png onerror=alert(5)>",
    "{{ counts }}{% raw %}",
    "<!-- ]]> &amp; &lt;b&gt;",
    "nul\0esc\x1b[31mbidi\u202eisolate\u2066bom\ufeff",
)


class Page(HTMLParser):
    """A parsed page: tags with their attributes, all text, and the text of each token."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.cells, self.stack = [], [], [], []
        self.feed(text)
        self.close()

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.stack.append(tag)
        if tag == "i" and "title" in dict(attributes):
            self.cells.append("")

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if self.stack and self.stack[-1] in ("style", "script"):
            return
        self.texts.append(data)
        if self.stack and self.stack[-1] == "i" and self.cells:
            self.cells[-1] += data


def read(run):
    return Page(write_report(run).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = build_run(tmp_path_factory.mktemp("report") / "run")
    write_ablation(folder)
    return folder


@pytest.fixture(scope="module")
def page(run):
    return read(run)


@pytest.fixture(scope="module")
def evil(tmp_path_factory):
    docs = [Doc(text, source=text, passages=[(0, len(text), text, 9)]) for text in EVIL]
    docs += [Doc(text, source=text, unit=1, rule="few_words") for text in EVIL[:2]]
    bad = [Bad(error=text, message=text, payload=text.encode()) for text in EVIL]
    recipe = {"name": EVIL[1], EVIL[2]: EVIL[0]}
    docs += [Doc(text, source=text, copy_of=i, similarity=0.9) for i, text in enumerate(EVIL)]
    hits = [Hit(i, text, text, 1.0, text, text, text) for i, text in enumerate(EVIL)]
    sets = {text: SetCounts(3, 1) for text in EVIL}
    skipped = {EVIL[0]: 3, EVIL[1]: 1}
    story = Story(docs, bad, skipped, recipe=recipe, hits=hits, sets=sets, signals=MODELLED)
    folder = build_run(tmp_path_factory.mktemp("evil") / "<b onclick=alert(6)>", story)
    manifest = read_json(folder / "manifest.json")
    manifest["counts"]["signals"]["reference"] = {"run": EVIL[0], EVIL[1]: EVIL[7]}
    write_json(folder / "manifest.json", manifest)
    return read(folder)


def test_self_contained_and_without_scripts_of_others(page, evil):
    for one in (page, evil):
        names = [tag for tag, _ in one.tags]
        assert not {*names} & {"img", "link", "iframe", "object", "base", "form"}
        assert [found for tag, found in one.tags if tag == "script"] == [{}]
        attributes = [(key, value or "") for _, found in one.tags for key, value in found.items()]
        assert not [key for key, _ in attributes if key.startswith("on")]
        assert all(value.startswith("#") for key, value in attributes if key in ("href", "src"))
        assert not [value for key, value in attributes if key == "style"]
        assert one.stack == []


def test_nothing_is_fetched_and_only_the_script_of_the_page_may_run(run):
    text = write_report(run).read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|https?://", text)
    assert "default-src 'none'" in text
    script = text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text.replace("&#39;", "'")
    assert not re.search(r"innerHTML|insertAdjacent|document\.write|eval\(", script)


def test_the_page_is_well_built(page, evil):
    for one in (page, evil):
        ids = [found["id"] for _, found in one.tags if "id" in found]
        assert len(ids) == len({*ids})
        links = {found["href"][1:] for tag, found in one.tags if tag == "a"}
        assert links <= {*ids}
        sections = [found["id"] for tag, found in one.tags if tag == "section"]
        assert {*sections} <= links  # each can be jumped to
        levels = [int(tag[1]) for tag, _ in one.tags if re.fullmatch(r"h\d", tag)]
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        boxes = [found.get("class", "") for tag, found in one.tags if tag in ("table", "div")]
        tables = sum(tag == "table" for tag, _ in one.tags)
        assert boxes.count("scroll") == tables  # a wide table scrolls in its own box
        for tag, found in one.tags:
            assert tag != "button" or found["aria-label"].startswith("Copy ")


def test_no_number_is_cut_or_in_powers_of_ten(page):
    assert not re.search(r"\d[.,]?\d*e[+-]\d", page.text)
    assert not re.search(r"\d,(?!\d{3}|\D|$)", page.text)
    titles = " ".join(found.get("title", "") for _, found in page.tags)
    assert not re.search(r"\d[.,]?\d*e[+-]\d", titles)


def test_hostile_text_is_shown_as_text(evil):
    for text in EVIL[:7]:
        assert " ".join(text.split()) in evil.text
    assert "nul␀esc␛[31mbidi⟨U+202E⟩isolate⟨U+2066⟩bom⟨U+FEFF⟩" in evil.text
    everything = evil.text + "".join(v or "" for _, found in evil.tags for v in found.values())
    assert not set("\0\x1b\u202e\u2066\ufeff") & set(everything)
    assert "4 stored records are no documents: 3 <" in evil.text


def test_hostile_tokens_and_reference_are_shown_as_text(evil):
    assert "".join(evil.cells).count(EVIL[0]) == 1
    disputed = evil.text.partition("Where signals and counts disagree")[2]
    assert "alert(" in disputed
    assert f"{EVIL[3]} · 00000003" in disputed  # a source
    assert f"{EVIL[1]} {show(EVIL[7])} run {EVIL[0]}" in evil.text


def test_hostile_copies_passages_and_items_are_shown_as_text(evil):
    shown = show(EVIL[7])
    assert f"9 {len(EVIL[7])} {shown} {shown}" in evil.text  # a passage of the kind that it is
    assert f"2 documents, similarity from 0.90 the one that stays {EVIL[0]} · in.jsonl" in evil.text
    for text in map(show, EVIL):
        text = " ".join(text.split())
        assert f"{text} 3 1 1 1 1" in evil.text  # a set
        assert f"{text} {text}: 100 %" in evil.text  # an item
        assert f"answer 100 % {text} {text} the document {text} · in.jsonl" in evil.text


def test_headline_funnel_and_rules(page):
    assert "Recipe tiny : 4 of 8 records kept, weighed by policy" in page.text
    assert "4 of 8 records, with 84.8 % of the tokens. Of the others, rules dropped 21" in page.text
    assert "kept 4 50.0 % 112 84.2 % 117 84.8 %" in page.text
    assert "few_words ≥ 3 21 15.2 % 21 0 2" in page.text
    assert (
        "1 rule without bounds: measured, and nothing dropped rule what it measures odd_words"
        in page.text
    )
    assert "Which rules drop the same documents" not in page.text  # there is but one
    assert "no documents" not in page.text


def test_excerpts_of_what_was_dropped(page):
    near = "web · in.jsonl: line 5 value 2 · dropped click here"
    far = "web · in.jsonl: line 4 value 0.25 · dropped buy buy buy"
    assert "few_words ≥ 3 kept side books · in.jsonl: line 0 value 7 · kept Rain" in page.text
    assert f"dropped side {near} {far}" in page.text
    assert 'jsonl · in.jsonl: byte 0 unexpected end of data {"text": �' in page.text


def test_overlap_of_rules(tmp_path):
    docs = [
        Doc("kept"),
        Doc("abc", rule="few_words", also="odd_words"),
        Doc("abcdefghi", rule="few_words"),
        Doc("z" * 1000, rule="few_words"),
    ]
    run = build_run(tmp_path / "run", Story(docs=docs))
    with open_database(run) as connection:
        overlap = read_overlap(connection)
    assert overlap.rules == ["few_words", "odd_words"]
    cells = [[cell[:2] for cell in row] for _, row in overlap.rows]
    assert cells == [[("", 0), ("<1", 1)], [("100", 6), ("", 0)]]
    text = read(run).text
    assert "1 few_words <1 2 odd_words 100" in text


def test_a_run_without_copies_passages_and_sets(page):
    assert "No document is a copy of another." in page.text
    assert "Passages of several" not in page.text
    assert "Evaluation items" not in page.text
    assert ("a", {"href": "#contamination"}) not in page.tags


def test_long_texts_are_cut(tmp_path):
    long = "word " * 1000
    docs = [Doc("short"), Doc("other"), Doc(long, rule="few_words")]
    bad = [Bad(payload=long.encode())]
    html = write_report(build_run(tmp_path / "run", Story(docs=docs, bad=bad))).read_text()
    assert html.count("word word") < 2 * 600 / 5


def test_what_is_cut_is_cut_between_characters(tmp_path):
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    docs = [Doc("one"), Doc("two"), Doc("-" + family * 300, rule="few_words")]
    bad = [Bad(payload=b"-" + "€".encode() * 300), Bad("bad_utf8", b"ends in \xe2\x82")]
    html = write_report(build_run(tmp_path / "run", Story(docs=docs, bad=bad))).read_text()
    (excerpt,) = re.findall(f"-(?:{family})+(.*?)</pre>", html)
    assert excerpt == "…"
    assert "€…</pre>" in html
    assert "ends in �</pre>" in html  # that is what was read


def test_scripts_that_run_leftward_and_marks_that_stand_alone(tmp_path):
    docs = [Doc("سلام 12", source="مصدر"), Doc("cafe\u0301", source="books")]
    page = read(build_run(tmp_path / "run", Story(docs=docs, bad=())))
    told = [found for tag, found in page.tags if tag == "i" and "title" in found]
    ends = [found for found in told if "⟨end of text⟩" in found["title"]]
    assert len(ends) == 2
    assert all("end" in found["class"].split() for found in ends)  # isolated by the style sheet
    assert "".join(page.cells).count("cafe\u0301") == 1  # in its word a mark is no token apart
    assert sum(tag == "bdi" for tag, _ in page.tags) >= 4


def test_types_that_are_parts_of_characters_are_told_apart(tmp_path):
    story = Story(docs=[Doc("€₪" * 20, source="web"), Doc("€ ₪ é" * 20)], bad=())
    html = write_report(build_run(tmp_path / "run", story)).read_text()
    lists = html.partition("Heaviest token types")[2].partition("</section>")[0]
    assert {"bytes e2", "bytes 82", "bytes ac"} <= set(re.findall(r"bytes \w\w", lists))
    assert "�" not in lists


def test_a_disputed_part_of_a_character_is_named_by_its_bytes(tmp_path):
    story = Story(docs=[Doc("é é é" * 9), Doc("ש ש" * 9)], bad=(), signals=MODELLED)
    html = write_report(build_run(tmp_path / "run", story)).read_text()
    disputed = html.partition('id="disputes"')[2]
    assert "<b>bytes " in disputed
    assert "<b></b>" not in disputed
    assert "�" not in disputed


def test_sources_and_mass(page):
    assert "books 2 71 58.7 % 58.7 % 1.000" in page.text
    assert "train 3 102 102 81.9 % 2.42" in page.text
    assert "rarest half" in page.text


def test_the_verdict_stands_first(page):
    first = page.text.partition("Did it help?")[2].partition("What became of the records")[0]
    assert first.startswith(" Ablations")  # where to jump to
    assert page.text.index("weighted against plain: no difference shown") < page.text.index(
        "read 8"
    )
    words = page.text.partition("Did it help? Not shown weighted against plain")[2]
    assert "The mean weight of all tokens is 1." in words.partition("Trained with and without")[0]


def test_without_an_ablation_the_command_is_told(tmp_path):
    folder = build_run(tmp_path / "my run", Story(docs=[Doc("one"), Doc("two two")], bad=()))
    text = read(folder).text
    assert "Not known No ablation yet." in text
    assert "trainer ablate --shards 'my run'/shards --out 'my run'/ablations/objectives" in text


def test_long_ids_are_short_and_can_be_copied(page):
    copied = [found["data-copy"] for tag, found in page.tags if tag == "button"]
    assert copied
    whole = [found["title"] for tag, found in page.tags if tag == "code" and "title" in found]
    assert {*whole} == {*copied}


def test_few_heat_maps_are_open_and_the_others_can_be_chosen(tmp_path):
    docs = [Doc(f"document {number} " + "x" * 80) for number in range(OPEN + 3)]
    page = read(build_run(tmp_path / "run", Story(docs=docs, bad=())))
    assert sum(tag == "article" for tag, _ in page.tags) == OPEN
    assert "3 more documents to choose from" in page.text
    assert page.text.count("mean weight 1.00 · golden") == OPEN + 3


def test_token_map_spells_the_documents(page):
    spelt = "".join(page.cells).split("⟨end of text⟩")
    assert sorted(spelt) == sorted(
        [
            "",
            "Rain in Paris.",
            "Café au lait ☕ costs 3 €.",
            "I put my ice cream in the microwave and then it melted.",
            "A page of the web.",
        ]
    )


def test_token_notes(page):
    notes = [found["title"] for tag, found in page.tags if tag == "i" and "title" in found]
    assert len(notes) == 121
    first = next(note for note in notes if note.startswith("“R”  token 82 at 0"))  # of Rain
    assert re.search(r"^surprisal \d\.\d\d \(\d+\.\d %\)$", first, re.MULTILINE)
    assert "\nngram_gain 0.00 (" in first
    assert first.endswith("golden")
    assert any(note.startswith("bytes c3  token 195") for note in notes)
    # A token that only goes on with a character has its story at the character too.
    whole = next(note for note in notes if note.startswith("bytes c3  token 195"))
    assert re.search(r"\n\nbytes a9  token 169 at 4\b", whole)


def test_report_of_a_bare_run(tmp_path):
    story = Story(docs=[Doc("one"), Doc("two")], bad=(), sidecar=False)
    run = build_run(tmp_path / "run", story)
    shutil.rmtree(run / "quarantine")
    page = read(run)
    assert "None: every record was readable." in page.text
    assert "Ablations" not in page.text
    notes = "".join(found.get("title", "") for tag, found in page.tags if tag == "i")
    assert "surprisal" in notes  # of types
    assert "ngram_gain" not in notes
    assert "disputed" not in page.text


def test_a_folder_with_an_odd_name(tmp_path, page):
    assert read(build_run(tmp_path / "it's [here]*")).cells == page.cells


def test_the_same_run_gives_the_same_report(run):
    assert write_report(run).read_bytes() == write_report(run).read_bytes()


def test_a_run_that_is_not_whole(tmp_path):
    with pytest.raises(AssayError, match=r"manifest\.json"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_shard_of_another_unit_is_named(tmp_path):
    run = build_run(tmp_path / "run")
    shutil.copy(run / "shards" / "train-000001.arrow", run / "shards" / "train-000000.arrow")
    with pytest.raises(BrokenContract, match=r"train-000000\.arrow: lacks document"):
        write_report(run)
    assert not (run / "report.html").exists()


def test_samples_spread_over_sources_and_units(tmp_path):
    many = [Doc(f"big {i} " + "x" * 80, unit=i % 2) for i in range(2 * DOCUMENTS)]
    few = [Doc("small", source="web"), Doc("tiny", source="chat", unit=1)]
    run = build_run(tmp_path / "run", Story(docs=[*many, *few], bad=()))
    with open_database(run) as connection:
        chosen = choose(connection, run, selected=False)
    assert len(chosen) == DOCUMENTS
    assert {one.source for one in chosen} == {"books", "web", "chat"}
    assert {one.unit for one in chosen if one.source == "books"} == {"000000", "000001"}
    assert len({one.doc_id for one in chosen}) == DOCUMENTS


def test_long_documents_come_first_and_are_cut(tmp_path):
    docs = [Doc("short"), Doc("long " * 500), Doc("short too")]
    page = read(build_run(tmp_path / "run", Story(docs=docs, bad=())))
    assert page.cells[0] == "l"
    assert len(page.cells) == TOKENS + len("short") + len("short too") + 2
    assert f"… and {2_501 - TOKENS:,} more tokens" in page.text


@settings(deadline=None)
@given(st.text(), st.lists(st.integers(0, 40)))
def test_pieces_spell_the_text(text, cuts):
    blob = text.encode()
    ends = sorted({min(cut, len(blob)) for cut in cuts} | {0, len(blob)})
    pieces = [blob[a:b] for a, b in pairwise(ends)] or [b""]
    assert "".join(spell(pieces)) == text
    assert len(spell(pieces)) == len(pieces)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=4), min_size=1))
def test_any_bytes_can_be_spelt(pieces):
    assert len(spell(pieces)) == len(pieces)


def test_split_character_stands_at_its_first_token():
    assert spell([b"a\xe2", b"\x82", b"\xac b", b"c"]) == ["a€", "", " b", "c"]


def test_what_stages_took_is_told_with_all_attempts(page):
    assert "What the stages took" in page.text
    assert "curate 4.0 s 2 1.50 300.0 MB 11 B 22 B 70.0 MB" in page.text
    assert "tokenizer 0.5 s 1 12.00 100.0 MB \u2013 \u2013 60.0 MB" in page.text
    assert page.text.index("tokenizer 0.5 s") < page.text.index("score 0.5 s")
    assert "all 5.0 s 300.0 MB 70.0 MB" in page.text
    assert page.text.count("Time and memory") == 1  # where to jump to
