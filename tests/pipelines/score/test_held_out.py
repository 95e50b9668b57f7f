"""Held-out references: no document is scored by the model of its own half."""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipelines.score.held_out import score_documents, split_settings
from pipelines.score.model_scorer import describe_models, load_scorers
from pipelines.score.model_texts import load_readers, place_texts
from pipelines.tokenize.encoder import Encoder
from pipelines.tokenize.tokenize_unit import append_eos
from pipelines.tokenize.tokens import Documents
from tests.tiny_models import TEXTS, train_bpe, write_model
from trainer.config.schema import ModelConfig, TrainConfig
from trainer.run.train import train
from weighting.contracts.halves import is_of_half
from weighting.contracts.shards import ShardInfo, Tokens, write_shard
from weighting.contracts.splits import HALVES, WHOLE, A, B
from weighting.errors import AssayError
from weighting.signals.model_settings import ModelSettings

TOKENIZER, VOCAB, EOS, STEPS = "0" * 64, 64, 0, 60
COUNT, LENGTH = 16, 11  # planted documents, and their tokens but the end


class NamingScorer:
    """Gives every token its own number, and its id with the number of its document."""

    tokenizers: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, number):
        self.number = number

    def score(self, ids_N, offsets_D1, eos_id, carrier=None):
        self.carrier = carrier
        assert (ids_N[offsets_D1[1:] - 1] == eos_id).all()
        document_N = np.repeat(ids_N[offsets_D1[:-1]], np.diff(offsets_D1))
        return {
            "nll": np.full(len(ids_N), self.number, np.float32),
            "entropy": (1000 * document_N + ids_N).astype(np.float32),
        }


def make_documents(texts, train_D=None):
    """Documents of lists of ids, each ended; their names are their numbers."""
    lists = [[*ids, EOS] for ids in texts]
    return Documents(
        pa.array([f"document-{number}" for number in range(len(lists))], pa.string()),
        pa.array(["test"] * len(lists), pa.string()),
        np.ones(len(lists), bool) if train_D is None else train_D,
        np.array([one for ids in lists for one in ids], np.uint32),
        np.cumsum([0, *map(len, lists)], dtype=np.int64),
    )


@given(sizes=st.lists(st.integers(0, 5), max_size=20))
def test_no_document_is_scored_by_the_model_of_its_own_half(sizes):
    documents = make_documents([[number + 1] * size for number, size in enumerate(sizes)])
    values = score_documents([NamingScorer(0), NamingScorer(1)], documents, EOS)
    in_b_N = documents.spread(is_of_half(documents.doc_ids.to_pylist(), B))
    assert values["nll"].tolist() == np.where(in_b_N, 0, 1).tolist()
    alone = NamingScorer(0).score(documents.ids_N, documents.offsets_D1, EOS)
    assert values["entropy"].tolist() == alone["entropy"].tolist()
    assert [values[name].dtype for name in values] == [np.float32] * 2


class Named:
    """A carrier that says whose documents it has."""

    def __init__(self, doc_ids):
        self.doc_ids = doc_ids

    def choose(self, chosen_D):
        return Named(self.doc_ids.filter(pa.array(chosen_D)))


def test_each_scorer_gets_the_carrier_of_the_documents_that_it_scores():
    documents = make_documents([[1]] * 9)
    texts, one = Named(documents.doc_ids), NamingScorer(0)
    score_documents([one], documents, EOS, texts)
    assert one.carrier is texts
    scorers = [NamingScorer(1), NamingScorer(2)]
    score_documents(scorers, documents, EOS, texts)
    for scorer, half in zip(scorers, (B, A), strict=True):
        names = scorer.carrier.doc_ids.to_pylist()
        assert names == [
            name for name in documents.doc_ids.to_pylist() if is_of_half([name], half)[0]
        ]


def test_one_scorer_scores_all_and_none_gives_nothing():
    documents = make_documents([[1, 2], [3]])
    assert set(score_documents([NamingScorer(5)], documents, EOS)["nll"]) == {5}
    assert score_documents([], documents, EOS) == {}


def test_all_settings_but_the_reference_hold_for_both_halves():
    settings = ModelSettings("one", checkpoints=3, short=4, second="third", other="two")
    of_a, of_b = split_settings(settings)
    assert (of_a.reference, of_b.reference) == ("one", "two")
    for part in (of_a, of_b):
        assert part.other is None
        for field in fields(ModelSettings):
            if field.name not in ("reference", "other"):
                assert getattr(part, field.name) == getattr(settings, field.name)
    assert split_settings(of_a) == (of_a,)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Documents of random tokens, and the runs that learnt them by heart: all, half a, half b."""
    folder = tmp_path_factory.mktemp("planted")
    rows = np.random.default_rng(3).integers(1, VOCAB, (COUNT + 2, LENGTH)).tolist()
    documents = make_documents(rows[:COUNT])
    held = make_documents(rows[COUNT:])
    for split, part in (("train", documents), ("validation", held)):
        tokens = Tokens(
            [f"{'v' * (split != 'train')}{name}" for name in part.doc_ids.to_pylist()],
            part.sources.to_pylist(),
            part.offsets_D1,
            part.ids_N,
            np.ones(len(part.ids_N), np.float32),
            np.zeros(len(part.ids_N), np.uint8),
        )
        info = ShardInfo(TOKENIZER, VOCAB, EOS, split, "uniform")
        write_shard(folder / "shards" / f"{split}-0.arrow", info, [tokens])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.run.train.measure_matmul", lambda device, precision: 1e11)
        for half in (WHOLE, *HALVES):
            train(make_config(folder / "shards", half), folder / half)
    torch.set_flush_denormal(False)  # training sets it; hypothesis needs subnormal numbers
    return documents, {half: str(folder / half) for half in (WHOLE, *HALVES)}


def make_config(shards, half):
    return TrainConfig(
        shards=str(shards),
        half=half,
        steps=STEPS,
        batch=8,
        lr=0.02,
        eval_every=STEPS,
        save_every=STEPS,
        threads=1,
        device="cpu",
        model=ModelConfig(layers=1, width=64, heads=2, context=LENGTH + 1),  # a document a window
    )


def score(documents, reference, other=None):
    scorers = load_scorers(ModelSettings(reference, other=other), TOKENIZER)
    nll_N = score_documents(scorers, documents, EOS)["nll"]
    return nll_N[documents.ids_N != EOS]


def test_what_a_model_knows_by_heart_is_no_news_to_it_and_news_to_the_other_half(planted):
    documents, runs = planted
    chance = np.log(VOCAB)
    assert score(documents, runs[WHOLE]).mean() < 0.25 * chance
    assert score(documents, runs[A], runs[B]).mean() > 0.9 * chance
    # The same two models the wrong way round know half of the tokens as the plain one does.
    in_b_D = is_of_half(documents.doc_ids.to_pylist(), B)
    in_b_N = documents.spread(in_b_D)[documents.ids_N != EOS]
    assert score(documents, runs[B])[in_b_N].mean() < 0.25 * chance


def test_the_manifest_says_which_half_each_was_trained_on(planted):
    _, runs = planted
    described = describe_models(ModelSettings(runs[A], other=runs[B]), TOKENIZER, EOS)
    assert [(used.model, used.half) for used in described] == [(runs[A], A), (runs[B], B)]
    (alone,) = describe_models(ModelSettings(runs[WHOLE]), TOKENIZER, EOS)
    assert alone.half == WHOLE


def test_models_of_others_are_held_out_through_their_own_tokenizers(tmp_path):
    names = [
        str(write_model(tmp_path / half, tokenizer=train_bpe(vocab=vocab), seed=vocab))
        for half, vocab in zip(HALVES, (300, 320), strict=True)
    ]
    scorers = load_scorers(ModelSettings(names[0], other=names[1]), TOKENIZER)
    described = describe_models(ModelSettings(names[0], other=names[1]), TOKENIZER, EOS)
    assert [used.half for used in described] == [None, None]
    texts = [f"{text} {number}" for number, text in enumerate(2 * TEXTS)]
    train_bpe(vocab=260).save(str(tmp_path / "tokenizer.json"))
    encoder = Encoder(tmp_path / "tokenizer.json")
    encoded = append_eos(encoder.encode(texts), EOS)
    ids = pa.array([f"document-{number}" for number in range(len(texts))])
    documents = Documents(ids, ids, np.ones(len(texts), bool), encoded.ids_N, encoded.offsets_D1)
    tokenizers = {key: one for scorer in scorers for key, one in scorer.tokenizers.items()}
    assert len(tokenizers) == 2
    readers = load_readers(tokenizers)
    shares_N = np.ones(len(encoded.ids_N))
    carrier = place_texts(documents, texts, encoder.vocabulary, shares_N, readers)
    nll_N = score_documents(scorers, documents, EOS, carrier)["nll"]
    in_b_N = documents.spread(is_of_half(ids.to_pylist(), B))
    assert 0 < in_b_N.mean() < 1
    for scorer, chosen_N in zip(scorers, (in_b_N, ~in_b_N), strict=True):
        alone_N = score_documents([scorer], documents, EOS, carrier)["nll"]
        np.testing.assert_allclose(nll_N[chosen_N], alone_N[chosen_N], rtol=1e-4)
        assert not np.allclose(nll_N[~chosen_N], alone_N[~chosen_N], rtol=1e-2)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            B,
            A,
            "trained on half b of its documents, and is to be of half a; train it with --half a",
        ),
        (A, WHOLE, "trained on all of its documents, and is to be of half b"),
        (WHOLE, B, "trained on all of its documents, and is to be of half a"),
    ],
)
def test_a_run_of_another_half_is_refused(planted, first, second, message):
    _, runs = planted
    with pytest.raises(AssayError, match=message):
        describe_models(ModelSettings(runs[first], other=runs[second]), TOKENIZER, EOS)
