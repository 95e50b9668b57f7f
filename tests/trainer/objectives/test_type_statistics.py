"""Counts and running losses by type."""

import math

import pytest
import torch

from tests.trainer.two_ranks import run_both
from trainer.data.loader import IGNORED
from trainer.machine.process_group import ALONE
from trainer.objectives.type_statistics import TypeStatistics

TARGETS = torch.tensor([[0, 3, 3], [3, 1, IGNORED]])
NLL = torch.tensor([[1.0, 2.0, 3.0], [7.0, 0.5, 0.0]])


def test_it_starts_with_no_counts_and_the_loss_of_guessing():
    types = TypeStatistics.start(4)
    assert types.counts_V.tolist() == [0, 0, 0, 0]
    assert types.counts_V.dtype == torch.int64
    assert types.losses_V.tolist() == pytest.approx([math.log(4)] * 4)


def test_types_of_the_batch_move_to_their_mean_loss_and_others_stay():
    types = TypeStatistics.start(4)
    types.update(NLL, TARGETS, 0.75, ALONE)
    types.update(NLL, TARGETS, 0.75, ALONE)
    assert types.counts_V.tolist() == [2, 2, 0, 6]
    start = math.log(4)
    left = 0.75**2  # of the start, after two updates by one mean
    expected = [left * start + (1 - left) * mean for mean in (1.0, 0.5, start, 4.0)]
    assert types.losses_V.tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("decay", "loss"), [(0.0, 4.0), (1.0, math.log(4))])
def test_decay_at_its_ends(decay, loss):
    types = TypeStatistics.start(4)
    types.update(NLL, TARGETS, decay, ALONE)
    assert types.losses_V[3].item() == pytest.approx(loss, rel=1e-6)


def test_padding_is_left_out_even_where_its_loss_is_not_zero():
    padded, plain = TypeStatistics.start(4), TypeStatistics.start(4)
    padded.update(torch.full((1, 2), 9.0), torch.tensor([[0, IGNORED]]), 0.5, ALONE)
    plain.update(torch.full((1, 1), 9.0), torch.tensor([[0]]), 0.5, ALONE)
    assert padded.counts_V.equal(plain.counts_V)
    assert padded.losses_V.equal(plain.losses_V)


def test_two_ranks_know_what_one_would_bit_for_bit():
    whole, parts = TypeStatistics.start(4), [TypeStatistics.start(4), TypeStatistics.start(4)]
    whole.update(NLL, TARGETS, 0.9, ALONE)

    def update(ranks):
        mine = slice(ranks.rank, None, 2)
        parts[ranks.rank].update(NLL[mine], TARGETS[mine], 0.9, ranks)

    run_both(update)
    for part in parts:
        assert part.counts_V.equal(whole.counts_V)
        assert part.losses_V.equal(whole.losses_V)


def test_an_update_takes_no_gradient():
    types = TypeStatistics.start(4)
    types.update(NLL.clone().requires_grad_(), TARGETS, 0.9, ALONE)
    assert not types.losses_V.requires_grad


def test_a_checkpoint_restores_all_of_it():
    types, restored = TypeStatistics.start(4), TypeStatistics.start(4)
    types.update(NLL, TARGETS, 0.9, ALONE)
    restored.load({name: tensor.clone() for name, tensor in types.tensors().items()})
    for each in (types, restored):
        each.update(2 * NLL, TARGETS, 0.9, ALONE)
    assert restored.counts_V.equal(types.counts_V)
    assert restored.losses_V.equal(types.losses_V)
