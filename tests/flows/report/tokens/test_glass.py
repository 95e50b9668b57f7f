"""The looking glass: scales and their legends, shades that can be read, disputes, the census."""

import re

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.database.shard_views import open_database
from flows.report import write_report
from flows.report.charts.density import Patch, density
from flows.report.charts.histograms import distribution
from flows.report.tokens import scales
from flows.report.tokens.disputes import find_disputes
from flows.report.tokens.scales import (
    LEVELS,
    PERCENTS,
    distribute,
    name_classes,
    scale_signals,
    scale_weights,
)
from flows.report.tokens.sidecars import Vocabulary
from flows.report.tokens.token_sample import Sample, read_sample
from flows.report.tokens.token_texts import show_tokens
from flows.report.weights.frequency import read_frequency
from flows.report.weights.signals import read_correlations, rebin
from flows.report.weights.weighing import describe_weighing, find_key_tokens, take_census
from tests.flows.runs import build_run
from tests.flows.stories import EOS, MODELLED, VOCAB, Doc, Story
from weighting.contracts.counts import WeighingFacts
from weighting.signals.registry import SIGNALS, list_known
from weighting.signals.token_types import Types
from weighting.signals.trajectory import CLASSES, TRAJECTORIES

DOCS = (
    Doc("Rain in Paris. " * 30, passages=[(0, 14, "line", 4)], contaminated=[(20, 30, "r1")]),
    Doc("I put my ice cream in the microwave and then it melted.", source="web", unit=1),
    Doc("A page of the web.", source="web", unit=1, split="validation"),
)
NAMES = list_known(list(MODELLED))
floats = st.floats(-64, 64, width=32)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(
        tmp_path_factory.mktemp("glass") / "run", Story(docs=DOCS, bad=(), signals=MODELLED)
    )


@pytest.fixture(scope="module")
def html(run):
    return write_report(run).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = build_run(tmp_path_factory.mktemp("plain") / "run", Story(docs=DOCS, bad=()))
    return write_report(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def database(run):
    with open_database(run) as connection:
        yield connection


def list_buttons(html):
    return re.findall(r'<input type="radio" name="column" id="by-(\w+)"( checked)?>', html)


# --- the switch ---


def test_a_button_and_a_legend_for_each_signal_that_the_run_has(html, plain):
    assert list_buttons(html) == [("weight", " checked"), *((name, "") for name in NAMES)]
    assert list_buttons(plain) == [
        ("weight", " checked"), *((name, "") for name in list_known(["ngram_gain"])),
    ]  # fmt: skip
    for name in NAMES:
        legend = html.partition(f'<div class="legend of-{name}">')[2].partition("</div>")[0]
        assert SIGNALS[name].meaning.replace("'", "&#39;") in legend
        assert len(re.findall(r"<span", legend)) == (2 * LEVELS + 1 if SIGNALS[name].signed else 8)


def test_every_shade_of_a_token_is_a_rule_of_its_button(html):
    letters = {chr(ord("a") + list(SIGNALS).index(name)): name for name in NAMES} | {"w": "weight"}
    used = {name for found in re.findall(r'<i class="([^"]*)"', html) for name in found.split()}
    rules = set(re.findall(r"main:has\(#by-(\w+):checked\) \.(\S+) { --shade: var\(", html))
    shades = {one for one in used if re.fullmatch(r"[a-z]-?\d", one)}
    assert len({one[0] for one in shades}) > 9
    assert {(letters[one[0]], one) for one in shades} <= rules
    for name in letters.values():
        assert f"main:has(#by-{name}:checked) .of-{name} {{ display: block; }}" in html


def test_flags_can_be_marked(html):
    classes = re.findall(r'<i class="([^"]*)" tabindex="-1" title="([^"]*)"', html)
    assert sum("D" in found.split() for found, _ in classes) == 14
    assert sum("C" in found.split() for found, _ in classes) == 10
    assert sum(", in 4 documents" in note for _, note in classes) == 14
    for mark in "RGDC":
        assert re.search(rf"main:has\(#show-marks:checked\) \.{mark}(:not\(\.part\))? {{", html)


def test_a_token_tells_its_story(html, plain):
    note = re.search(r'title="(“R”  token 82 at 0[^"]*)"', html)
    assert note
    head, weight, *signals, trajectory, flags = note[1].split("\n")
    assert head == "“R”  token 82 at 0, character 0, in 4 documents"
    assert re.fullmatch(r"weight \d\.\d{3}", weight)
    assert [line.partition(" ")[0] for line in signals] == NAMES
    assert trajectory.removeprefix("trajectory ") in CLASSES
    assert flags.endswith("golden, duplicate span")
    end = re.search(r'title="(“⟨end of text⟩”[^"]*)"', html)
    assert end
    assert "surprisal" not in end[1]
    assert "trajectory" not in plain.partition("<main>")[2]


# --- colours ---


def read_themes(html):
    """The custom properties of the light theme, and of the dark one."""
    css = html.partition("</style>")[0]
    dark = "".join(
        re.findall(r"@media \(prefers-color-scheme: dark\) {\n  :root {(.*?)}", css, re.DOTALL)
    )
    light = "".join(re.findall(r"^:root {(.*?)}", css, re.DOTALL | re.MULTILINE))
    pairs = (re.findall(r"--(\w+): (#[0-9a-f]{6})", one) for one in (light, dark))
    return [dict(one) for one in pairs]


def luminance(colour):
    """Relative luminance, WCAG 2.2."""
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
def test_text_can_be_read_on_every_shade(html, theme):
    colours = read_themes(html)[theme]
    ramps = {"a": LEVELS, "b": LEVELS, "s": len(PERCENTS)}
    for ramp, size in ramps.items():
        shades = [colours[f"{ramp}{level}"] for level in range(1, size + 1)]
        assert min(contrast(one, colours["ink"]) for one in shades) >= 4.5
        steps = np.diff([luminance(one) for one in (colours["card"], *shades)])
        assert (steps > 0).all() if theme else (steps < 0).all()
    assert contrast(colours["soft"], colours["card"]) >= 4.5
    for level in range(1, LEVELS + 1):  # blue on one side, orange on the other
        below, above = colours[f"b{level}"], colours[f"a{level}"]
        assert below[5:7] > below[1:3]
        assert above[5:7] < above[1:3]


# --- scales ---


def test_shades_of_weights_are_even_steps_around_one():
    weights = np.array([0, 0.25, 0.5, 0.99, 1, 1.01, 2, 4, 50], np.float32)
    levels = scale_weights().shade(weights).tolist()
    assert levels == [-LEVELS, -LEVELS, -3, 0, 0, 0, 3, LEVELS, LEVELS]


def test_ranks_are_shares_of_the_corpus():
    spread = distribute([(0.0, 1.0, 60), (2.0, 3.0, 40)])
    ranks = spread.rank(np.array([-1, 0, 0.5, 1, 1.5, 2.5, 9], np.float32))
    assert ranks.tolist() == pytest.approx([0, 0, 0.3, 0.6, 0.6, 0.8, 1])
    assert spread.cut(0.3) == pytest.approx(0.5)
    assert spread.cut(0.8) == pytest.approx(2.5)


def test_a_loss_is_shaded_by_its_rank_and_a_gain_by_its_sign():
    spread = distribute([(float(at), at + 1.0, 1) for at in range(-50, 50)])
    loss, gain = scale_signals({"nll": spread, "ngram_gain": spread})
    cuts = np.array([spread.cut(percent / 100) for percent in PERCENTS], np.float32)
    assert loss.shade(cuts + 0.1).tolist() == list(range(1, 8))
    assert loss.shade(cuts[:1] - 0.1).tolist() == [0]
    levels = gain.shade(np.array([-99, -8, -3, 0, 3, 8, 99], np.float32))
    assert levels.tolist() == [-6, -1, 0, 0, 0, 1, 6]
    assert [step.label for step in gain.steps][5:8] == ["−8.2", "0", "+8.2"]


def test_letters_of_signals_are_never_that_of_weights_and_never_run_out(monkeypatch):
    many = {**SIGNALS, **{f"own_{at}": SIGNALS["nll"] for at in range(60)}}
    monkeypatch.setattr(scales, "SIGNALS", many)
    spread = distribute([(0.0, 1.0, 5)])
    letters = [one.letter for one in scales.scale_signals(dict.fromkeys(many, spread))]
    assert letters[: len(SIGNALS)] == list("abcdefghijkl")
    assert "w" not in letters
    assert len(set(letters)) == len(many)


@given(st.lists(st.tuples(floats, st.integers(1, 9)), min_size=1), st.lists(floats, min_size=2))
def test_scales_never_fall(bins, values):
    lows = sorted({low for low, _ in bins})
    spread = distribute(
        [(low, low + 0.125, count) for low, (_, count) in zip(lows, bins, strict=False)]
    )
    ordered = np.sort(np.array(values, np.float32))
    assert (np.diff(spread.rank(ordered)) >= 0).all()
    for scale in (scale_weights(), *scale_signals({"nll": spread, "excess": spread})):
        levels = scale.shade(ordered)
        assert (np.diff(levels) >= 0).all()
        assert {*levels.tolist()} <= {step.level for step in scale.steps}


def test_neutral_values_have_no_class():
    columns = {"weight": np.array([1, 4], np.float32)}
    assert name_classes([scale_weights()], columns) == ["", "w6"]


# --- the corpus ---


def test_charts_hold_nearly_all_tokens():
    spread = distribute([(at / 8, (at + 1) / 8, 10) for at in range(-80, 80)])
    bins = rebin(spread, 1600)
    assert 20 <= len(bins) <= 41
    assert sum(tokens for *_, tokens in bins) == 1600
    assert rebin(distribute([(0.0, 0.125, 7)]), 7) == [(0.0, 0.125, 7)]
    chart = distribution("nll", bins, 0.0)
    assert chart.count("<rect") == len(bins)
    assert "mean 0.00 nats" in chart


def test_correlations_in_the_order_of_signals(database):
    table = read_correlations(database)
    assert [name for name, _ in table] == NAMES
    assert {len(cells) for _, cells in table} == {len(NAMES)}
    for at, (name, cells) in enumerate(table):
        assert cells[at] == ("", 0, name)
        assert all(cells[to].text == table[to][1][at].text for to in range(len(NAMES)))
    assert all(-LEVELS <= cell.level <= LEVELS for _, cells in table for cell in cells)
    assert not [cell for _, cells in table for cell in cells if cell.text == "−0.00"]


def test_the_census_counts_every_token_once(database, html, plain):
    census = take_census(database)
    assert [row.name for row in census] == [*CLASSES]
    assert sum(row.token_share for row in census) == pytest.approx(1)
    assert sum(row.mass_share for row in census) == pytest.approx(1)
    assert sum(row.tokens for row in census) == sum(len(doc.text) for doc in DOCS)
    assert sum(row.published for row in census) == pytest.approx(1)
    meanings = [f"{one.losses}: {one.meaning}" for one in TRAJECTORIES]
    assert [row.meaning for row in census] == meanings
    assert all(meaning in html for meaning in meanings)
    assert not [meaning for meaning in meanings if meaning in plain]


def make_sample(signals, ids=None):
    values = {name: np.array(column, np.float32) for name, column in signals.items()}
    size = len(next(iter(values.values())))
    ids_N = np.array(ids or range(65, 65 + size))
    shown = ["." if number == EOS else chr(number) for number in ids_N.tolist()]
    starts_N = np.cumsum([0, *map(len, shown)])[:-1]
    texts = ["".join(shown)]
    borders = np.array([0, size])
    return Sample(
        ids_N,
        ids_N == EOS,
        np.ones(size, np.bool_),
        np.zeros(size, np.bool_),
        np.ones(size, np.float32),
        values,
        borders,
        ["doc"],
        ["<books>"],
        texts,
        starts_N,
    )


def test_key_tokens_by_both_thresholds():
    facts = WeighingFacts("key_token", {"key_gain": 2.0, "key_nll": 2.0}, {}, "key", None)
    signals = {"context_gain": [3, 3, 2, 9], "nll": [1, 2, 1, 0]}
    keys = find_key_tokens(make_sample(signals, [1, 2, 3, EOS]), facts)
    assert keys is not None
    assert keys.tokens == 3
    assert keys.share == pytest.approx(1 / 3)
    assert find_key_tokens(make_sample({"nll": [1, 2]}), facts) is None
    assert find_key_tokens(None, facts) is None


# --- disputes ---

EVEN = distribute([(0.0, 1.0, 100)])
VOCABULARY = Vocabulary(
    [bytes([i]) for i in range(EOS)],
    EOS,
    Types(np.ones(VOCAB, np.int64), np.ones(VOCAB, np.int64), documents=1),
)


def dispute(signals, ids=None):
    found = find_disputes(make_sample(signals, ids), dict.fromkeys(signals, EVEN), VOCABULARY)
    return {one.title: one for one in found}


def test_the_widest_gap_comes_first():
    signals = {"surprisal": [0.9, 0.8, 0.2, 0.5], "ngram_gain": [0.4, 0.1, 0.9, 0.5]}
    rare = dispute(signals)["Rare, but nothing to learn"]
    assert [row.place.token for row in rare.rows] == ["B", "A"]
    assert rare.rows[0].place == ("<books>", "doc", 1, "A", "B", "CD")
    assert rare.rows[0].values == [pytest.approx((0.8, 0.8)), pytest.approx((0.1, 0.1))]


def test_all_of_a_kind_must_agree():
    signals = {"nll": [0.9, 0.9, 0.9], "entropy": [0.1, 0.8, 0.9], "excess": [0.0, 0.1, 0.85]}
    (noise,) = dispute(signals).values()
    assert noise.title == "A high loss that is only noise"
    assert [row.place.token for row in noise.rows] == ["B", "A", "C"]


def test_a_type_is_listed_once_and_the_end_of_text_never():
    signals = {"surprisal": [0.8, 0.9, 1.0, 0.7], "ngram_gain": [0.0] * 4}
    rows = dispute(signals, [65, 65, EOS, 66])["Rare, but nothing to learn"].rows
    assert [(row.place.token, row.place.place) for row in rows] == [("A", 1), ("B", 3)]


def test_disputes_of_a_run(html, plain):
    titles = re.findall("<h3>([^<]*)</h3>", html.partition('<section id="disputes">')[2])
    assert len(titles) == 3
    plain_titles = re.findall("<h3>([^<]*)</h3>", plain.partition('<section id="disputes">')[2])
    assert plain_titles == ["Rare, but nothing to learn"]
    assert "<h3>Words that are often golden</h3>" in html.partition('<section id="golden">')[2]


# --- frequency and weight ---


def test_extremes_are_unlike_their_peers(database):
    found = read_frequency(database, EOS)
    assert found.extremes
    ratios = [abs(np.log(one.weight / one.usual)) for one in found.extremes]
    assert ratios == sorted(ratios, reverse=True)
    assert min(one.occurrences for one in found.extremes) >= 10
    assert EOS not in {one.token_id for one in found.extremes}
    assert sum(row["token_share"] for row in found.deciles) == pytest.approx(1)


def test_a_patch_says_what_lies_in_it():
    chart = density([Patch(3, -0.25, 1, 0.25, 2, 20), Patch(10, 1, 1, 0.25, 1, 2000)], [(3, 0)])
    assert "8 to 16 occurrences, weight 0.84 to 1.00: 2 types, 20 tokens" in chart
    assert chart.count('class="s7"') == 1
    assert chart.count('class="s1"') == 1
    assert ">1,000</text>" in chart


def test_parameters_that_the_policy_reads():
    params = {"of": "pdl", "alpha": 0.5, "cap": 8.0, "mix": 0.0}
    facts = WeighingFacts("shuffled", params, splits={}, golden="excess", borders=None)
    weighing = describe_weighing(facts, None)
    assert [row["key"] for row in weighing.params] == ["of", "alpha", "cap", "mix"]
    assert weighing.reference == []


# --- selection ---


def test_documents_that_were_not_selected_are_not_shown(tmp_path):
    docs = [Doc(f"document {number} of some length") for number in range(6)]
    story = Story(docs=docs, bad=(), left=(1, 4))
    html = write_report(build_run(tmp_path / "run", story)).read_text(encoding="utf-8")
    shown = "".join(re.findall(r'<i class="[^"]*" tabindex[^>]*>([^<]*)</i>', html))
    assert [f"document {number}" in shown for number in range(6)] == [
        True, False, True, True, False, True,
    ]  # fmt: skip


def test_a_document_without_text(tmp_path):
    html = write_report(build_run(tmp_path / "run", Story(docs=[Doc("")], bad=()))).read_text()
    assert "No signal was measured." in html
    assert list_buttons(html) == [("weight", " checked")]
    assert html.count(">⟨end of text⟩</i>") == 1


def test_a_document_that_goes_on_behind_the_sample_is_shown_as_far_as_that(run, monkeypatch):
    monkeypatch.setattr("flows.report.tokens.token_sample.PER_FILE", 5)
    sample = read_sample(run, VOCABULARY)
    assert sample is not None
    first, end = sample.offsets_D1[-2:]
    ids_N, starts_N = sample.ids_N[first:end], sample.starts_N[first:end]
    shown = sample.texts[-1]
    kept = [pq.read_table(path)["text"] for path in (run / "documents").glob("*.parquet")]
    assert any(text.startswith(shown) and text != shown for one in kept for text in one.to_pylist())
    assert "".join(show_tokens(shown, ids_N, starts_N, VOCABULARY)) == shown != ""
