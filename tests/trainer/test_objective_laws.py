"""What holds for every objective, whatever its formula."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from tests.trainer.draw_tokens import (
    OBJECTIVES,
    VOCAB,
    draw_logits,
    draw_tokens,
    make_settings,
    weights_of,
)
from tests.trainer.two_ranks import run_both
from trainer.data.loader import IGNORED
from trainer.objectives.chunked import weighted_cross_entropy
from trainer.objectives.registry import OWN, READINGS
from trainer.objectives.tokens import Tokens, token_nll

WHOLE_BATCH = sorted(name for name, one in OWN.items() if one.whole_batch)
KNOWN_BEFORE = sorted(name for name, one in OWN.items() if one.known_before)
ROWS = [name for name, value in READINGS.items() if value.endswith("BxT")]
MEAN_ONE = ("plain", "focal", "mile", "running", "selective", "cvar")


def cut(tokens: Tokens, rows, **changes) -> Tokens:
    """Some windows of a batch."""
    names = ["nll_BxT", "targets_BxT", *(READINGS[name] for name in ROWS)]
    return replace(tokens, **{name: getattr(tokens, name)[rows] for name in names}, **changes)


def pad(tokens: Tokens, columns: int, rows: int) -> Tokens:
    """The same targets with padding behind them; what may be read there is not 0."""

    def grow(tensor, value):
        return F.pad(tensor, (0, columns, 0, rows), value=value)

    values = {READINGS[name]: grow(getattr(tokens, READINGS[name]), 0.7) for name in ROWS}
    return replace(
        tokens,
        nll_BxT=grow(tokens.nll_BxT, 0.0),
        targets_BxT=grow(tokens.targets_BxT, IGNORED),
        **values,
    )


def gradient(name, tokens):
    return torch.autograd.grad(OBJECTIVES[name](tokens).sum() / tokens.count, tokens.nll_BxT)[0]


@pytest.fixture
def tokens():
    return draw_tokens(draw_logits().requires_grad_())


def test_weights_of_one_are_plain_bit_for_bit():
    results = []
    for name in ("plain", "weighted"):
        logits = draw_logits(dtype=torch.float32).requires_grad_()
        tokens = draw_tokens(logits)
        tokens = replace(
            tokens,
            nll_BxT=token_nll(logits, tokens.targets_BxT),
            weights_BxT=torch.ones_like(tokens.weights_BxT),
        )
        loss = OBJECTIVES[name](tokens).sum() / tokens.count
        results.append((loss, torch.autograd.grad(loss, logits)[0]))
    (loss_a, gradient_a), (loss_b, gradient_b) = results
    assert loss_a.equal(loss_b)
    assert gradient_a.equal(gradient_b)


@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("focal", {"focal_gamma": 0.0}),
        ("mile", {"mile_gamma": 0.0}),
        ("running", {"running_blend": 0.0}),
        ("selective", {"select_share": 1.0}),
        ("cvar", {"cvar_share": 1.0}),
        ("falpha", {"falpha_alpha": 0.0}),
    ],
)
def test_a_knob_at_its_end_is_plain(name, knobs):
    tokens = draw_tokens(draw_logits(), settings=make_settings(**knobs))
    assert OBJECTIVES[name](tokens).equal(tokens.nll_BxT)


def test_falpha_is_continuous_at_zero():
    tokens = draw_tokens(draw_logits(), settings=make_settings(falpha_alpha=1e-9))
    torch.testing.assert_close(OBJECTIVES["falpha"](tokens), tokens.nll_BxT, rtol=1e-7, atol=0)


@pytest.mark.parametrize("name", MEAN_ONE)
@given(seed=st.integers(0, 999))
def test_weights_have_mean_one_where_that_is_promised(name, seed):
    tokens = draw_tokens(draw_logits(seed), seed)
    mean = weights_of(name, tokens)[tokens.live_BxT].mean()
    assert mean.item() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("name", OWN)
@given(columns=st.integers(0, 3), rows=st.integers(0, 2))
def test_padding_changes_nothing(name, columns, rows):
    tokens = draw_tokens(draw_logits().requires_grad_())
    padded = pad(tokens, columns, rows)
    terms = OBJECTIVES[name](padded)
    torch.testing.assert_close(terms[:4, :5], OBJECTIVES[name](tokens), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(gradient(name, padded)[:4, :5], gradient(name, tokens))
    assert not terms[4:].any()
    assert not terms[:, 5:].any()


@pytest.mark.parametrize("name", OWN)
def test_two_ranks_have_the_terms_of_the_whole_batch(name, tokens):
    terms = OBJECTIVES[name](tokens)
    results = run_both(
        lambda ranks: OBJECTIVES[name](cut(tokens, slice(ranks.rank, None, 2), ranks=ranks))
    )
    for rank, result in enumerate(results):
        torch.testing.assert_close(result, terms[rank::2], rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", sorted({*OWN} - {*WHOLE_BATCH}))
def test_micro_batches_have_the_terms_of_the_whole_batch(name, tokens):
    parts = [OBJECTIVES[name](cut(tokens, slice(at, at + 1))) for at in range(4)]
    assert torch.cat(parts).equal(OBJECTIVES[name](tokens))


@pytest.mark.parametrize("name", WHOLE_BATCH)
def test_a_part_of_a_batch_alone_would_have_other_terms(name, tokens):
    part = OBJECTIVES[name](cut(tokens, slice(0, 2), count=10))
    assert not torch.allclose(part, OBJECTIVES[name](tokens)[:2])


@pytest.mark.parametrize("name", OWN)
def test_an_objective_reads_what_it_says_and_nothing_else(name, tokens):
    others = {value: None for key, value in READINGS.items() if key not in OWN[name].reads}
    assert OBJECTIVES[name](replace(tokens, **others)).equal(OBJECTIVES[name](tokens))
    for key in OWN[name].reads:
        with pytest.raises((AssertionError, TypeError)):
            OBJECTIVES[name](replace(tokens, **{READINGS[key]: None}))


def test_weights_are_read_by_weighted_alone():
    assert [name for name, one in OWN.items() if "weights" in one.reads] == ["weighted"]


@pytest.mark.parametrize("name", KNOWN_BEFORE)
def test_weights_known_before_are_the_terms_of_losses_of_one(name, tokens):
    ones = replace(tokens, nll_BxT=tokens.live_BxT.double())
    known = OBJECTIVES[name](ones)
    torch.testing.assert_close(known, weights_of(name, tokens) * tokens.live_BxT)


@pytest.mark.parametrize("name", sorted({*OWN} - {*KNOWN_BEFORE}))
def test_other_weights_are_not(name, tokens):
    ones = replace(tokens, nll_BxT=tokens.live_BxT.double(), entropy_BxT=torch.zeros(4, 5))
    assert not torch.allclose(OBJECTIVES[name](ones), weights_of(name, tokens) * tokens.live_BxT)


@pytest.mark.parametrize("name", KNOWN_BEFORE)
def test_chunked_is_the_same_objective(name):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(4, 5, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    head = torch.randn(VOCAB, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    tokens = draw_tokens(hidden @ head.T)
    whole = OBJECTIVES[name](tokens).sum() / tokens.count
    weights = OBJECTIVES[name](replace(tokens, nll_BxT=tokens.live_BxT.double()))
    loss, nll_N = weighted_cross_entropy(
        hidden.flatten(0, 1),
        head,
        tokens.targets_BxT.flatten(),
        weights.flatten(),
        tokens.count,
        chunk=3,
    )
    torch.testing.assert_close(loss, whole)
    torch.testing.assert_close(nll_N.view(4, 5), tokens.nll_BxT.detach())
    expected = torch.autograd.grad(whole, (hidden, head))
    for ours, theirs in zip(torch.autograd.grad(loss, (hidden, head)), expected, strict=True):
        torch.testing.assert_close(ours, theirs)
