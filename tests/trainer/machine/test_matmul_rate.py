"""The measured rate of matrix products, and the share of it that a run turns to use."""

import pytest
import torch

from trainer.machine import matmul_rate
from trainer.machine.matmul_rate import matmul_share, measure_matmul


@pytest.fixture
def timed(monkeypatch):
    """Replace the products by sizes and the clock by a function of the size."""

    def fake(time):
        sizes = []
        monkeypatch.setattr(matmul_rate, "_prepare", lambda size, *_: lambda: sizes.append(size))
        monkeypatch.setattr(matmul_rate, "_time", lambda work: (work(), time(sizes))[1])
        return sizes

    return fake


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_rate_is_measured_and_training_draws_the_same_numbers(monkeypatch, precision):
    monkeypatch.setattr(matmul_rate, "CPU_SIZES", (64,))
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    assert 0 < measure_matmul("cpu", precision) < float("inf")
    assert torch.equal(torch.rand(3), wanted)


def test_the_best_round_counts_and_no_larger_size_than_takes_long_enough(timed):
    def time(sizes):
        return {512: 0.004, 1024: 0.02, 2048: 0.1}[sizes[-1]] * (1 + len(sizes) % 2)

    sizes = timed(time)
    assert measure_matmul("cpu", "float32") == pytest.approx(2 * 1024**3 / 0.02)
    assert set(sizes) == {512, 1024}


def test_a_small_product_counts_where_other_work_slows_down_the_large_ones(timed):
    timed(lambda sizes: {512: 0.004, 1024: 0.06}[sizes[-1]])
    assert measure_matmul("cpu", "float32") == pytest.approx(2 * 512**3 / 0.004)


def test_a_machine_too_fast_for_every_size_is_measured_at_the_largest(timed):
    timed(lambda sizes: 0.001)
    assert measure_matmul("cpu", "bfloat16") == pytest.approx(2 * 4096**3 / 0.001)


def test_the_share_is_that_of_the_work_of_the_tokens():
    # 2 GFLOP a token at 100 tokens/s are a fifth of 1 TFLOP/s.
    assert matmul_share(2e9, 100.0, 1e12) == pytest.approx(0.2)
