"""Texts in the ids of several tokenizers, values carried back to the run's tokens."""

import numpy as np
import pyarrow as pa
import pytest

from pipelines.score.model_texts import ModelTexts, load_readers, place_texts
from pipelines.tokenize.tokenize_unit import append_eos
from pipelines.tokenize.tokens import Documents
from tests.tiny_models import END, TEXTS, train_bpe
from trainer.scoring.carrier import ModelTokenizer

HARD = (*TEXTS, "", "Ein Eis 🍦 für 3 €", "日本の氷は溶けた。", "a")


@pytest.fixture(scope="module")
def tokenizers():
    """Tokenizers of several sizes: bytes alone, and words of the texts."""
    found = {}
    for vocab in (257, 280, 340):
        own = train_bpe(vocab=vocab)
        end = own.token_to_id(END) or 0
        found[str(vocab)] = ModelTokenizer(own.to_str(), end, end, own.get_vocab_size())
    return found


@pytest.fixture
def texts(tokenizers):
    """Return the carrier of the hard texts, which the tokenizer of 280 types reads for the run."""
    readers = load_readers(tokenizers)
    encoder = readers["280"].encoder
    encoded = append_eos(encoder.encode(HARD), 0)
    documents = Documents(
        pa.array([]), pa.array([]), np.ones(len(HARD), bool), encoded.ids_N, encoded.offsets_D1
    )
    shares = np.random.default_rng(0).random(len(encoded.ids_N))
    return encoded, place_texts(documents, HARD, encoder.vocabulary, shares, readers)


def draw_values(size):
    return np.random.default_rng(1).normal(3, 1, size)


@pytest.mark.parametrize("name", ["257", "280", "340"])
def test_sums_of_documents_are_equal_under_both(texts, name):
    run, carrier = texts
    stream = carrier.stream(name)
    values = draw_values(len(stream.ids_M))
    carried = carrier.carry(name, values)
    theirs = np.add.reduceat(values, stream.offsets_D1[:-1])
    ours = np.add.reduceat(carried, run.offsets_D1[:-1])
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_stream_ends_each_document_with_the_models_end(texts, tokenizers):
    _, carrier = texts
    stream = carrier.stream("340")
    assert (stream.ids_M[stream.offsets_D1[1:] - 1] == tokenizers["340"].end_id).all()
    assert stream.begin_id == tokenizers["340"].begin_id
    assert len(stream.offsets_D1) == len(HARD) + 1
    assert (np.diff(stream.offsets_D1) < np.diff(carrier.stream("257").offsets_D1)).any()


def test_the_runs_own_tokenizer_gives_the_values_themselves(texts):
    run, carrier = texts
    values = draw_values(len(run.ids_N))
    assert carrier.stream("280").ids_M.tolist() == run.ids_N.tolist()
    assert carrier.carry("280", values).tobytes() == values.tobytes()


@pytest.mark.parametrize("name", ["257", "340"])
def test_chosen_documents_are_carried_as_among_all(texts, name):
    run, carrier = texts
    chosen = np.arange(len(HARD)) % 2 == 0
    some = carrier.choose(chosen)
    assert isinstance(some, ModelTexts)
    stream, part = carrier.stream(name), some.stream(name)
    values = draw_values(len(stream.ids_M))
    of_M = np.repeat(chosen, np.diff(stream.offsets_D1))
    assert part.ids_M.tolist() == stream.ids_M[of_M].tolist()
    of_N = np.repeat(chosen, np.diff(run.offsets_D1))
    expected = carrier.carry(name, values)[of_N]
    np.testing.assert_allclose(some.carry(name, values[of_M]), expected, atol=1e-12)
    none = carrier.choose(np.zeros(len(HARD), bool))
    assert none.carry(name, np.empty(0)).tolist() == []
