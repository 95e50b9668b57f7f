"""Scoring a unit: characters of tokens, sidecars of both splits, sums by type."""

import itertools
import json
import unicodedata
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.score.moments import merge
from pipelines.score.score_unit import (
    Corpus,
    Loaded,
    choose_documents,
    locate_sidecars,
    name_part,
    score_unit,
    sum_by_type,
)
from pipelines.settings import Job, ScoreSettings
from pipelines.tokenize.encoder import Encoder
from pipelines.tokenize.ngram_counts import load_counted, merge_partition
from pipelines.tokenize.tokenize_unit import tokenize_unit
from pipelines.tokenize.tokenizer import copy_tokenizer
from pipelines.tokenize.tokens import load_tokens, load_types
from pipelines.work.folder import WorkFolder
from tests.pipelines.tokenize.corpora import make_job, write_unit
from tests.pipelines.tokenize.families import (
    END,
    LETTERS,
    bpe,
    byte_level,
    in_letters,
    tokenizer_json,
)
from weighting.contracts.sidecar import read_sidecar
from weighting.signals.quantum import QUANTUM
from weighting.storage.files import sha256

EOS = 0
UNITS = [["The ice cream.", "naïve café 🍦", "x = 1, x = 1, x = 1"], ["The ice cream melts."]]
SETTINGS = ScoreSettings(validation_share=0.5, order=2)
MARKED = {
    "passages": [
        [{"start": 4, "end": 7, "kind": "line", "documents": 3}],
        [],
        [],
    ],
    "contaminated": [[], [{"start": 6, "end": 10, "item": "riddles"}], []],
}


class FixedScorer:
    """Gives a token its place in the unit, in steps of a quantum and a little more."""

    tokenizers: ClassVar = {}

    def score(self, ids_N, offsets_D1, eos_id, carrier=None):
        return {"nll": np.arange(len(ids_N), dtype=np.float32) * QUANTUM * np.float32(1.01)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A job whose units are tokenized, with the vocabulary, and what is known of the corpus."""
    job = make_job(tmp_path_factory.mktemp("score") / "run", UNITS)
    write_unit(job, 0, UNITS[0], **MARKED)
    encoder = Encoder(job.run / "tokenizer.json")
    vocabulary = encoder.vocabulary
    counts = [tokenize_unit(uid, encoder, SETTINGS, job) for uid in range(len(UNITS))]
    job.work.type_counts.save(np.sum(counts, axis=0))
    merge_partition(2, 0, 1, range(len(UNITS)), vocabulary.vocab_size, job)
    digest = sha256(job.run / "tokenizer.json")
    return (
        job,
        vocabulary,
        Corpus(load_types(job, vocabulary.eos_id), load_counted(1, 2, job), digest),
    )


@pytest.fixture(scope="module")
def scored(corpus):
    """The sums by type of both units, scored with a model."""
    job, vocabulary, known = corpus
    return [
        score_unit(uid, Loaded(known, vocabulary, [FixedScorer()]), SETTINGS, job)
        for uid in range(len(UNITS))
    ]


def read_sidecars(job, uid, keep=True):
    folder = locate_sidecars(job, keep)
    paths = (folder / f"{name_part(split, uid)}.parquet" for split in ("train", "validation"))
    return [read_sidecar(path) for path in paths if path.exists()]


def test_sidecars_hold_the_documents_of_their_split_in_order(corpus, scored):
    job, _, known = corpus
    for uid in range(len(UNITS)):
        documents = load_tokens(job, uid)
        for sidecar in read_sidecars(job, uid):
            train_D = documents.train_D == (sidecar.info.split == "train")
            names = documents.doc_ids.filter(pa.array(train_D)).to_pylist()
            assert sidecar.doc_ids.to_pylist() == names
            assert np.array_equal(sidecar.ids_N, documents.ids_N[documents.spread(train_D)])
            assert sidecar.info.tokenizer_sha256 == known.tokenizer_sha256
    assert sum(len(read_sidecars(job, uid)) for uid in range(len(UNITS))) >= 2


def test_signals_are_rounded_and_stand_at_their_tokens(corpus, scored):
    job, _, _ = corpus
    documents = load_tokens(job, 0)
    for sidecar in read_sidecars(job, 0):
        assert list(sidecar.signals) == ["ngram_gain", "nll"]
        chosen_N = documents.spread(documents.train_D == (sidecar.info.split == "train"))
        steps_N = sidecar.signals["nll"] / QUANTUM
        assert steps_N.tolist() == np.flatnonzero(chosen_N).tolist()
        assert (sidecar.signals["ngram_gain"] % QUANTUM == 0).all()


def test_marks_stand_at_the_tokens_of_marked_characters(corpus, scored):
    job, _, _ = corpus
    texts = dict(zip(load_tokens(job, 0).doc_ids.to_pylist(), range(len(UNITS[0])), strict=True))
    marked = 0
    for sidecar in read_sidecars(job, 0):
        bounds = itertools.pairwise(sidecar.offsets_D1.tolist())
        for doc_id, (first, last) in zip(sidecar.doc_ids.to_pylist(), bounds, strict=True):
            document, starts = texts[doc_id], sidecar.starts_N[first:last]
            for kind, values in (
                ("passages", sidecar.copies_N[first:last] == 3),
                ("contaminated", sidecar.contaminated_N[first:last]),
            ):
                spans = [(span["start"], span["end"]) for span in MARKED[kind][document]]
                # Byte-level tokens of one character share its start.
                ends = [next((n for n in starts if n > start), start) for start in starts]
                expected = [
                    any(start < stop and end > begin for begin, stop in spans)
                    for start, end in zip(starts, ends, strict=True)
                ]
                assert values.tolist() == expected
                marked += sum(expected)
    assert marked > 3
    for sidecar in read_sidecars(job, 1):
        assert set(sidecar.copies_N.tolist()) == {1}
        assert not sidecar.contaminated_N.any()


def test_sums_by_type_are_those_of_the_sidecars(corpus, scored):
    job, vocabulary, _ = corpus
    for uid, sums_SxV in enumerate(scored):
        expected = np.zeros(sums_SxV.shape)
        for sidecar in read_sidecars(job, uid):
            for row, values_N in zip(expected, sidecar.signals.values(), strict=True):
                row += np.bincount(sidecar.ids_N, values_N / QUANTUM, vocabulary.vocab_size)
        assert np.array_equal(sums_SxV, expected)
        assert sums_SxV.dtype == np.int64


def test_the_summary_has_the_moments_of_both_splits(corpus, scored):
    job, _, _ = corpus
    summary = job.work.score.read(0)
    documents = load_tokens(job, 0)
    assert summary.tokens == len(documents.ids_N)
    assert summary.stored == ["ngram_gain", "nll"]
    both = merge(list(summary.moments.values()))
    assert both.tokens == len(documents.ids_N) - len(documents.doc_ids)  # of text
    assert set(summary.stored) < set(both.signals)


def test_a_unit_that_is_done_gives_its_sums_from_disk(corpus, scored):
    job, vocabulary, known = corpus
    assert np.array_equal(score_unit(0, Loaded(known, vocabulary), SETTINGS, job), scored[0])


def test_without_a_sidecar_to_keep_it_is_a_temporary_file(corpus, tmp_path):
    job, vocabulary, known = corpus
    other = type(job)(tmp_path, type(job.work)(tmp_path / "units"))
    other.work.path.mkdir()
    for name in ("tokens", "ngram_contexts", "ngram_rows"):
        (other.work.path / name).symlink_to(job.work.path / name)
    (tmp_path / "documents").symlink_to(job.run / "documents")
    sums = score_unit(1, Loaded(known, vocabulary), ScoreSettings(order=2, keep=False), other)
    (sidecar,) = read_sidecars(other, 1, keep=False)
    assert not (tmp_path / "signals").exists()
    assert not sidecar.starts_N.any()  # nobody reads them: nothing is marked
    assert sums.shape == (1, vocabulary.vocab_size)


def test_chosen_documents_are_whole_and_what_was_not_read_stays_empty(corpus, scored):
    job, _, _ = corpus
    (sidecar, *_) = read_sidecars(job, 0)
    path = locate_sidecars(job, True) / f"{name_part(sidecar.info.split, 0)}.parquet"
    some = read_sidecar(path, ["ngram_gain"])
    chosen_D = np.arange(len(some.doc_ids)) == len(some.doc_ids) - 1
    last = choose_documents(some, chosen_D, "train")
    start = some.offsets_D1[-2]
    assert last.offsets_D1.tolist() == [0, some.offsets_D1[-1] - start]
    assert np.array_equal(last.ids_N, some.ids_N[start:])
    assert np.array_equal(last.signals["ngram_gain"], some.signals["ngram_gain"][start:])
    assert len(last.starts_N) == len(some.starts_N) == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-(2**15), 2**15)), max_size=30))
def test_sums_of_parts_add_up_to_the_bit(rows):
    ids = np.array([i for i, _ in rows], np.uint32)
    values = np.array([step * QUANTUM for _, step in rows], np.float32)
    whole = sum_by_type(ids, {"nll": values}, 5)
    parts = [sum_by_type(ids[at::3], {"nll": values[at::3]}, 5) for at in range(3)]
    assert np.array_equal(whole, sum(parts))
    assert whole[0].sum() == sum(step for _, step in rows)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_marks_follow_the_text_under_a_normalizer(tmp_path, form):
    """Both forms of a text have the same ids, and the same of its characters are marked."""
    prose, item = (unicodedata.normalize(form, text) for text in ("Tiếng Việt. ", "dấu thanh"))
    texts = [prose * 3 + item + " " + prose, "a plain one", prose + item]
    places = [text.index(item) for text in (texts[0], texts[2])]
    spans = [[{"start": at, "end": at + len(item)}] for at in places]
    job = Job(tmp_path, WorkFolder(tmp_path / "units"))
    marks = {"passages": [[], [], []], "contaminated": [spans[0], [], spans[1]]}
    write_unit(job, 0, texts, **marks)
    parts = {"normalizer": {"type": "NFC"}, "pre_tokenizer": byte_level()}
    named = tmp_path / "named.json"
    named.write_text(json.dumps(tokenizer_json(bpe(LETTERS, [in_letters("ti")]), **parts)))
    copy_tokenizer(named, tmp_path / "tokenizer.json", END)
    encoder = Encoder(tmp_path / "tokenizer.json")
    counts = tokenize_unit(0, encoder, SETTINGS, job)
    job.work.type_counts.save(counts)
    merge_partition(2, 0, 1, [0], encoder.vocabulary.vocab_size, job)
    known = Corpus(load_types(job, encoder.vocabulary.eos_id), load_counted(1, 2, job), "")
    score_unit(0, Loaded(known, encoder.vocabulary), SETTINGS, job)
    found = {}
    for sidecar in read_sidecars(job, 0):
        for row, (a, b) in enumerate(itertools.pairwise(sidecar.offsets_D1.tolist())):
            number = int(sidecar.doc_ids[row].as_py()[8:24], 16)
            starts, marked = sidecar.starts_N[a:b], sidecar.contaminated_N[a:b]
            ends = np.append(starts[1:], len(texts[number]))
            pieces = [texts[number][start:end] for start, end in zip(starts, ends, strict=True)]
            assert "".join(pieces) == texts[number]
            found[number] = "".join(np.array(pieces, object)[marked])
    assert found == {0: item, 1: "", 2: item}
