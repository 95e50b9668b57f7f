"""Statistics of signals: written from the units' summaries, read back by what weighs tokens."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipelines.score.moments import EDGES, measure
from pipelines.score.statistics import read_statistics, write_signal_stats
from pipelines.work.summaries import ScoreSummary
from tests.pipelines.tokenize.corpora import make_job
from weighting.signals.quantum import QUANTUM, quantise
from weighting.signals.registry import Signals
from weighting.signals.token_types import Types
from weighting.vocabulary import read_vocabulary

SPLITS = ("train", "validation")
UNITS = 3


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose units are scored, by hand, and its tokens by split."""
    job = make_job(tmp_path_factory.mktemp("statistics") / "run", [["The ice cream."]])
    vocabulary = read_vocabulary(job.run / "tokenizer.json")
    rng = np.random.default_rng(0)
    size, eos = vocabulary.vocab_size, vocabulary.eos_id
    ids = {split: rng.integers(0, 60, (UNITS, 40)) for split in SPLITS}
    gains = {split: quantise(rng.normal(0, 2, (UNITS, 40)).astype(np.float32)) for split in SPLITS}
    counts = [np.bincount(ids[split].ravel(), minlength=size) for split in SPLITS]
    holders = np.minimum(counts[0], 5)
    job.work.type_counts.save(np.stack([*counts, holders]))
    types = Types(counts[0], holders, int(counts[0][eos]))
    for uid in range(UNITS):
        moments = {
            split: measure(
                Signals(types, ids[split][uid], {"ngram_gain": gains[split][uid]}),
                ids[split][uid] == eos,
            )
            for split in SPLITS
        }
        job.work.score.finish(uid, ScoreSummary(80, ["ngram_gain"], moments))
    sums = sum(np.bincount(ids[s].ravel(), gains[s].ravel(), size) for s in SPLITS)
    job.work.type_signals.save(np.rint(sums / QUANTUM).astype(np.int64)[None])
    write_signal_stats(job, vocabulary)
    text = {split: gains[split][ids[split] != eos].astype(np.float64) for split in SPLITS}
    return job.run, vocabulary, types, text, sums / np.maximum(counts[0] + counts[1], 1)


def read(run, name):
    return pq.read_table(run / "stats" / f"{name}.parquet").to_pylist()


def test_a_signal_has_a_row_for_each_split(run):
    folder, _, _, text, _ = run
    rows = {(row["signal"], row["split"]): row for row in read(folder, "signals")}
    for split in SPLITS:
        row = rows["ngram_gain", split]
        assert row["tokens"] == len(text[split])
        assert row["mean"] == pytest.approx(text[split].mean(), abs=1e-12)
        assert row["sd"] == pytest.approx(text[split].std(), abs=1e-9)
        assert (row["low"], row["high"]) == (text[split].min(), text[split].max())
    assert {signal for signal, _ in rows} > {"ngram_gain", "surprisal", "ngram_surprisal"}


def test_bins_that_hold_tokens_are_listed(run):
    folder, _, _, text, _ = run
    rows = [row for row in read(folder, "signal_histogram") if row["signal"] == "ngram_gain"]
    counts, _ = np.histogram(np.concatenate(list(text.values())), EDGES)
    found = {row["low"]: row["tokens"] for row in rows}
    expected = {float(EDGES[at]): int(counts[at]) for at in np.flatnonzero(counts)}
    assert found == expected


def test_every_two_signals_have_a_correlation(run):
    rows = read(run[0], "signal_correlation")
    values = {(row["signal"], row["other"]): row["correlation"] for row in rows}
    names = {signal for signal, _ in values}
    assert len(values) == len(names) ** 2
    assert values["ngram_gain", "ngram_gain"] == pytest.approx(1)
    for (one, other), value in values.items():
        assert values[other, one] == pytest.approx(value)
        assert -1 <= value <= 1


def test_a_type_has_its_counts_and_the_mean_over_its_tokens(run):
    folder, vocabulary, types, _, means = run
    rows = read(folder, "types")
    assert [row["token_id"] for row in rows] == list(range(vocabulary.vocab_size))
    assert [row["count_train"] for row in rows] == types.counts_V.tolist()
    for row, mean in zip(rows, means, strict=True):
        seen = row["count_train"] + row["count_validation"]
        assert row["mean_ngram_gain"] == (pytest.approx(mean, abs=1e-9) if seen else None)
        assert (row["decile"] is None) == (row["count_train"] == 0)


def test_what_is_read_back_is_what_tokens_are_held_against(run):
    folder, vocabulary, types, text, _ = run
    statistics = read_statistics(folder, vocabulary.eos_id)
    assert statistics.stored == ["ngram_gain"]
    assert np.array_equal(statistics.types.counts_V, types.counts_V)
    assert np.array_equal(statistics.types.holders_V, types.holders_V)
    assert statistics.types.documents == types.documents
    assert statistics.facts.means["ngram_gain"] == pytest.approx(text["train"].mean())
    assert statistics.facts.rare_surprisal == types.rare_surprisal


def test_units_without_text_have_no_rows(tmp_path):
    job = make_job(tmp_path / "run", [["x"]])
    vocabulary = read_vocabulary(job.run / "tokenizer.json")
    counts = np.zeros((3, vocabulary.vocab_size), np.int64)
    counts[:, vocabulary.eos_id] = 1
    job.work.type_counts.save(counts)
    job.work.type_signals.save(np.zeros((1, vocabulary.vocab_size), np.int64))
    types = Types(counts[0], counts[2], 1)
    ends = Signals(types, np.array([vocabulary.eos_id]), {"ngram_gain": np.zeros(1, np.float32)})
    moments = {split: measure(ends, np.array([True])) for split in SPLITS}
    job.work.score.finish(0, ScoreSummary(2, ["ngram_gain"], moments))
    write_signal_stats(job, vocabulary)
    for name in ("signals", "signal_histogram", "signal_correlation"):
        assert read(job.run, name) == []
    assert len(read(job.run, "types")) == vocabulary.vocab_size
