"""Losses, entropies and disagreement from tiles, against the plain formulas."""

import math

import pytest
import torch

from trainer.objectives.tokens import token_entropy, token_nll
from trainer.scoring.predictions import TILES, Readout, disagree, predict


def draw(size, vocab, seed=0, spread=3.0):
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(size, 8, generator=generator)
    head = spread * torch.randn(vocab, 8, generator=generator)
    return Readout(hidden, head), torch.randint(0, vocab, (size,), generator=generator)


@pytest.mark.parametrize("tile", [(1, 1), (3, 4), (5, 19), (100, 100)])
@pytest.mark.parametrize("spread", [0.0, 3.0, 60.0])
def test_tiles_give_the_plain_loss_and_entropy(monkeypatch, tile, spread):
    monkeypatch.setitem(TILES, "cpu", tile)
    readout, targets = draw(11, 19, spread=spread)
    nll, entropy = predict(readout, targets)
    logits = (readout.hidden_MxC.double() @ readout.head_VxC.double().T)[None]
    expected = torch.nn.functional.cross_entropy(logits[0], targets, reduction="none")
    entropies = torch.special.entr(logits[0].softmax(-1)).sum(-1)
    torch.testing.assert_close(nll.double(), expected, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(entropy.double(), entropies, atol=1e-4, rtol=1e-5)
    assert (nll >= 0).all()
    assert (entropy >= 0).all()


def test_low_precision_products_are_those_of_training():
    readout, targets = draw(11, 19)
    narrow = Readout(*(part.bfloat16() for part in readout))
    nll, entropy = predict(narrow, targets)
    with torch.autocast("cpu", torch.bfloat16):
        logits = torch.nn.functional.linear(*readout)[None]
    assert nll.dtype == entropy.dtype == torch.float32
    torch.testing.assert_close(nll, token_nll(logits, targets[None])[0])
    torch.testing.assert_close(entropy, token_entropy(logits)[0])


@pytest.mark.parametrize("tile", [(1, 1), (4, 8), (100, 100)])
def test_disagreement_is_the_entropy_of_the_mean_less_the_mean_entropy(monkeypatch, tile):
    monkeypatch.setitem(TILES, "cpu", tile)
    first, _ = draw(11, 19)
    second, _ = draw(11, 19, seed=1)
    p, q = ((one.hidden_MxC @ one.head_VxC.T).double().softmax(1) for one in (first, second))
    entropy = lambda shares: torch.special.entr(shares).sum(1)  # noqa: E731 - a formula
    expected = entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2
    found = disagree(first, second)
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)
    assert (found > 0).all()
    assert (found <= math.log(2) + 1e-6).all()


def test_a_model_does_not_disagree_with_itself():
    readout, _ = draw(11, 19)
    assert (disagree(readout, readout) == 0).all()


def test_certain_models_that_differ_disagree_by_log_2():
    hidden = torch.ones(1, 1)
    first, second = (Readout(hidden, torch.tensor([[a], [b]])) for a, b in ((99.0, 0), (0, 99.0)))
    assert disagree(first, second).item() == pytest.approx(math.log(2))


def test_types_that_one_model_lacks_are_impossible_to_it():
    first, _ = draw(5, 7)
    wider = Readout(first.hidden_MxC, torch.cat([first.head_VxC, torch.zeros(3, 8)]))
    shares = (wider.hidden_MxC @ wider.head_VxC.T).softmax(1)
    padded = torch.cat([(first.hidden_MxC @ first.head_VxC.T).softmax(1), torch.zeros(5, 3)], 1)
    entropy = lambda shares: torch.special.entr(shares).sum(1)  # noqa: E731 - a formula
    expected = entropy((shares + padded) / 2) - (entropy(shares) + entropy(padded)) / 2
    torch.testing.assert_close(disagree(first, wider), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(disagree(wider, first), expected, atol=1e-5, rtol=1e-5)
