"""Paired differences by hand, and verdicts that claim no more than the interval."""

import math

import pytest

from tests.trainer.records import make_evaluation, make_fingerprint
from trainer.compare.compare import compare
from trainer.data.packing import PackingSummary
from trainer.run.result import RunResult
from weighting.errors import AssayError


def make_run(seed, nll, tokens=100, ids=1):
    return RunResult(
        config={"seed": seed},
        data=make_fingerprint(train_ids_crc32=ids, train_weights_crc32=hash(nll)),
        step=5,
        tokens=tokens,
        parameters=9,
        packing=PackingSummary("stream", 9, 0.0, 0.0),
        ess=1.0,
        tokens_per_second=10.0 * (seed + 1),
        final=make_evaluation(5, nll),
    )


def make_arm(*losses, **changes):
    return [make_run(seed, nll, **changes) for seed, nll in enumerate(losses)]


def find_difference(results, arm):
    """The paired difference of an arm's validation loss."""
    difference = results.arms[arm].difference
    assert difference is not None
    return difference.validation_nll


def test_paired_difference_by_hand():
    results = compare({"plain": make_arm(3.0, 4.0, 5.0), "weighted": make_arm(2.9, 3.8, 4.7)})
    difference = find_difference(results, "weighted")
    assert difference.values == pytest.approx([-0.1, -0.2, -0.3])
    assert difference.mean == pytest.approx(-0.2)
    # t(2) sd / sqrt(3), sd 0.1
    assert difference.half_width_95 == pytest.approx(4.302653 * 0.1 / math.sqrt(3))
    # The arms apart spread ten times wider: pairing is what finds the difference.
    assert results.arms["plain"].validation_nll.half_width_95 == pytest.approx(2.4841, abs=1e-4)


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ((2.9, 3.8, 4.7), "weighted against plain: no difference shown (-0.2000 ± 0.2484"),
        ((2.9, 3.9, 4.9), "weighted against plain: lower validation loss (-0.1000 ± 0.0000"),
        ((3.1, 4.1, 5.1), "weighted against plain: higher validation loss (+0.1000 ± 0.0000"),
    ],
)
def test_verdicts(losses, words):
    results = compare({"plain": make_arm(3.0, 4.0, 5.0), "weighted": make_arm(*losses)})
    assert results.verdicts[0].startswith(words)


def test_one_seed_gets_no_verdict():
    results = compare({"plain": make_arm(3.0), "weighted": make_arm(2.0)})
    assert results.verdicts == ("weighted against plain: one seed, so no interval and no verdict",)
    assert find_difference(results, "weighted").half_width_95 is None


def test_every_seed_is_listed_and_missing_metrics_are_left_out():
    results = compare({"plain": make_arm(3.0, 4.0)})
    arm = results.arms["plain"]
    assert [(run.seed, run.validation_nll) for run in arm.runs] == [(0, 3.0), (1, 4.0)]
    assert arm.nll_low is None
    assert arm.tokens_per_second is not None
    assert arm.tokens_per_second.mean == 15.0
    assert results.verdicts == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"tokens": 99}, "saw other tokens"), ({"ids": 2}, "train_ids_crc32 2")],
)
def test_arms_that_saw_other_tokens_are_not_compared(changes, message):
    with pytest.raises(AssayError, match=f"arm weighted: .*{message}"):
        compare({"plain": make_arm(3.0), "weighted": make_arm(3.0, **changes)})


def test_seeds_may_differ_in_tokens_by_the_padding_of_the_last_window():
    arms = {
        name: [make_run(0, nll, tokens=100), make_run(1, nll + 1, tokens=97)]
        for name, nll in (("plain", 3.0), ("weighted", 2.9))
    }
    assert find_difference(compare(arms), "weighted").mean == pytest.approx(-0.1)


def test_arms_of_other_documents_are_compared_if_that_is_asked_for():
    arms = {"plain": make_arm(3.0, 4.0), "golden": make_arm(2.9, 3.9, ids=2)}
    difference = find_difference(compare(arms, other_documents=True), "golden")
    assert difference.mean == pytest.approx(-0.1)
    with pytest.raises(AssayError, match="unless other documents are allowed"):
        compare(arms)
