"""Losses in the short context, by a model whose logits tell which inputs it saw."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.draw_tokens import OBJECTIVES, SETTINGS
from trainer.data.loader import IGNORED
from trainer.objectives.short_context import short_context_nll
from trainer.objectives.tokens import Tokens, token_nll

VOCAB = 5


class Causal:
    """A causal model: logits are a hash of the inputs of the same document up to here."""

    def __init__(self):
        self.calls = []

    def __call__(self, ids_BxT, documents_BxT=None):
        self.calls.append(ids_BxT.shape)
        seen_BxTxT = torch.ones(ids_BxT.shape[1], ids_BxT.shape[1]).tril().bool()
        if documents_BxT is not None:
            seen_BxTxT = seen_BxTxT & (documents_BxT[:, :, None] == documents_BxT[:, None])
        table = torch.randn(VOCAB, VOCAB, generator=torch.Generator().manual_seed(0))
        return seen_BxTxT.float() @ table[ids_BxT]


def draw(length: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, VOCAB, (2, length + 1), generator=generator)
    inputs, targets = ids[:, :-1], ids[:, 1:].clone()
    targets[1, -1] = IGNORED
    return inputs, targets


def one_by_one(inputs, targets, short, documents=None):
    """The same losses, a call for every target."""
    nll = torch.zeros(targets.shape)
    for at in range(inputs.shape[1]):
        first = max(0, (at // short - 1) * short)
        seen = slice(first, at + 1)
        part = None if documents is None else documents[:, seen]
        logits = Causal()(inputs[:, seen], part)[:, -1:]
        nll[:, at] = token_nll(logits, targets[:, at : at + 1])[:, 0]
    return nll


@given(length=st.integers(1, 23), short=st.integers(1, 12), seed=st.integers(0, 99))
def test_a_target_sees_short_plus_one_to_twice_short_inputs(length, short, seed):
    inputs, targets = draw(length, seed)
    nll = short_context_nll(Causal(), inputs, targets, short)
    torch.testing.assert_close(nll, one_by_one(inputs, targets, short), atol=1e-4, rtol=1e-4)


@given(length=st.integers(1, 23), short=st.integers(1, 12))
def test_documents_are_cut_like_inputs(length, short):
    inputs, targets = draw(length)
    documents = (torch.arange(length) >= length // 2).int().expand(2, -1)
    nll = short_context_nll(Causal(), inputs, targets, short, documents)
    expected = one_by_one(inputs, targets, short, documents)
    torch.testing.assert_close(nll, expected, atol=1e-4, rtol=1e-4)


def test_the_first_targets_see_all_there_is_and_later_ones_do_not():
    inputs, targets = draw(20)
    long = token_nll(Causal()(inputs), targets)
    nll = short_context_nll(Causal(), inputs, targets, 4)
    torch.testing.assert_close(nll[:, :8], long[:, :8])
    assert not torch.isclose(nll[0, 8:], long[0, 8:]).any()


@pytest.mark.parametrize(
    ("length", "shape"), [(20, (8, 8)), (17, (8, 8)), (9, (4, 8)), (8, (2, 8)), (5, (2, 5))]
)
def test_the_model_runs_once_on_about_twice_the_tokens(length, shape):
    model = Causal()
    nll = short_context_nll(model, *draw(length), 4)
    assert model.calls == [shape]
    assert nll.shape == (2, length)


def test_there_is_no_gradient_and_padding_costs_nothing():
    inputs, targets = draw(11)
    bias = torch.zeros(VOCAB, requires_grad=True)
    nll = short_context_nll(lambda ids: Causal()(ids) + bias, inputs, targets, 3)
    assert not nll.requires_grad
    assert nll[1, -1] == 0


def test_longce_weighs_one_exactly_where_both_contexts_are_the_same():
    inputs, targets = draw(20)
    short = 4
    tokens = Tokens(
        nll_BxT=token_nll(Causal()(inputs), targets),
        targets_BxT=targets,
        weights_BxT=torch.ones(2, 20),
        count=39,
        settings=replace(SETTINGS, longce_context=short),
        short_BxT=short_context_nll(Causal(), inputs, targets, short),
    )
    same = OBJECTIVES["longce"](tokens) == tokens.nll_BxT
    assert same[:, : 2 * short].all()
    assert not same[0, 2 * short :].any()
