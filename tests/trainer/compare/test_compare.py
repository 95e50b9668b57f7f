"""Paired differences by hand, and verdicts that claim no more than the interval."""

import math

import pytest

from tests.trainer.records import make_evaluation, make_plan, make_result
from trainer.compare.compare import compare
from trainer.compare.intervals import find_p
from weighting.errors import AssayError


def make_arm(*losses, ids=1, **changes):
    """Results by seed; None where a run has none."""
    return {
        seed: make_result(seed, nll, train_ids_crc32=ids, train_weights_crc32=hash(nll), **changes)
        for seed, nll in enumerate(losses)
        if nll is not None
    }


def compare_arms(missing=None, baseline=None, other_documents=False, **arms):
    seeds = sorted({seed for runs in arms.values() for seed in runs})
    plan = make_plan(
        list(arms), seeds, baseline=baseline or next(iter(arms)), other_documents=other_documents
    )
    runs = {(arm, seed): run for arm, found in arms.items() for seed, run in found.items()}
    return compare(plan, runs, missing or {})


def find_difference(results, arm, against="plain"):
    """The paired difference of an arm's validation loss."""
    pair = results.find_pair(arm, against)
    assert pair is not None
    assert pair.primary is not None
    return pair.primary


def test_paired_difference_by_hand():
    results = compare_arms(plain=make_arm(3.0, 4.0, 5.0), weighted=make_arm(2.9, 3.8, 4.7))
    difference = find_difference(results, "weighted")
    assert difference.values == pytest.approx([-0.1, -0.2, -0.3])
    assert difference.mean == pytest.approx(-0.2)
    # t(2) sd / sqrt(3), sd 0.1
    assert difference.half_width_95 == pytest.approx(4.302653 * 0.1 / math.sqrt(3))
    # The arms apart spread ten times wider: pairing is what finds the difference.
    alone = results.find_arm("plain").validation_nll
    assert alone is not None
    assert alone.half_width_95 == pytest.approx(2.4841, abs=1e-4)


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ((2.9, 3.8, 4.7), "weighted against plain: no difference shown (-0.2000 ± 0.2484"),
        ((2.9, 3.9, 4.9), "weighted against plain: lower validation loss (-0.1000 ± 0.0000"),
        ((3.1, 4.1, 5.1), "weighted against plain: higher validation loss (+0.1000 ± 0.0000"),
    ],
)
def test_verdicts(losses, words):
    results = compare_arms(plain=make_arm(3.0, 4.0, 5.0), weighted=make_arm(*losses))
    assert results.verdicts[0].startswith(words)


def test_one_seed_gets_no_verdict():
    results = compare_arms(plain=make_arm(3.0), weighted=make_arm(2.0))
    assert results.verdicts == ("weighted against plain: one seed, so no interval and no verdict",)
    assert find_difference(results, "weighted").half_width_95 is None


def test_every_seed_is_listed_and_missing_metrics_are_left_out():
    results = compare_arms(plain=make_arm(3.0, 4.0))
    arm = results.find_arm("plain")
    assert [(run.seed, run.validation_nll) for run in arm.runs] == [(0, 3.0), (1, 4.0)]
    assert arm.nll_low is None
    assert arm.tokens_per_second is not None
    assert arm.tokens_per_second.mean == 15.0
    assert (results.pairs, results.verdicts) == ((), ())


def test_arms_are_in_the_users_order_and_held_against_the_baseline_then_each_other():
    arms = {name: make_arm(3.0, 4.0) for name in ("z", "plain", "a", "m")}
    results = compare_arms(**arms, baseline="plain")
    assert [arm.name for arm in results.arms] == ["z", "plain", "a", "m"]
    assert [(pair.arm, pair.against) for pair in results.pairs] == [
        ("z", "plain"), ("a", "plain"), ("m", "plain"), ("a", "z"), ("m", "z"), ("m", "a"),
    ]  # fmt: skip
    assert [verdict.split(":")[0] for verdict in results.verdicts] == [
        "z against plain", "a against plain", "m against plain",
    ]  # fmt: skip


def test_several_arms_are_corrected_by_holm():
    results = compare_arms(
        plain=make_arm(3.0, 4.0, 5.0), a=make_arm(2.9, 3.89, 4.91), b=make_arm(2.9, 3.85, 4.7)
    )
    by_arm = {(pair.arm, pair.against): pair for pair in results.pairs}
    p = [find_p(pair.primary) for pair in results.pairs if pair.primary]
    assert p == [pair.p for pair in results.pairs]
    smallest = by_arm["a", "plain"]
    assert smallest.p is not None
    assert smallest.p_holm == pytest.approx(3 * smallest.p)
    # Alone, its interval shows a difference; as one of three tests, it is still below 5 %.
    assert smallest.verdict == "lower validation loss"
    assert "after Holm for 3 tests" in results.verdicts[0]


def test_an_interval_that_excludes_zero_shows_nothing_where_the_correction_takes_it():
    plain, a = make_arm(3.0, 4.0, 5.0), make_arm(2.9, 3.88, 4.85)
    alone = compare_arms(plain=plain, a=a)
    assert alone.pairs[0].verdict == "lower validation loss"
    others = {name: make_arm(3.1, 3.9, 5.2) for name in "bcd"}
    among = compare_arms(plain=plain, a=a, **others)
    assert among.pairs[0].primary == alone.pairs[0].primary
    assert among.pairs[0].verdict == "no difference shown"


def test_a_run_without_a_result_leaves_the_others_compared():
    results = compare_arms(
        plain=make_arm(3.0, 4.0, 5.0),
        wild=make_arm(2.9, None, 4.9),
        missing={("wild", 1): "diverged at step 2"},
    )
    pair = results.find_pair("wild", "plain")
    assert pair is not None
    assert pair.seeds == (0, 2)
    assert find_difference(results, "wild").values == pytest.approx([-0.1, -0.1])
    [verdict, missing] = results.verdicts
    assert "2 seeds" in verdict
    assert missing == "wild, seed 1: diverged at step 2"


def test_an_arm_without_any_result_is_a_row_all_the_same():
    missing = {("wild", seed): "diverged at step 2" for seed in (0, 1)}
    results = compare_arms(plain=make_arm(3.0, 4.0), wild=make_arm(), missing=missing)
    wild = results.find_arm("wild")
    assert (wild.runs, wild.validation_nll) == ((), None)
    assert [one.reason for one in wild.missing] == ["diverged at step 2"] * 2
    assert results.verdicts[0] == "wild against plain: no seed that both finished"


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"tokens": 99}, "saw other tokens"), ({"ids": 2}, "train_ids_crc32 2")],
)
def test_arms_that_saw_other_tokens_are_not_compared(changes, message):
    with pytest.raises(AssayError, match=f"arm weighted: .*{message}"):
        compare_arms(plain=make_arm(3.0), weighted=make_arm(3.0, **changes))


def test_seeds_may_differ_in_tokens_by_the_padding_of_the_last_window():
    arms = {
        name: {0: make_result(0, nll, tokens=100), 1: make_result(1, nll + 1, tokens=97)}
        for name, nll in (("plain", 3.0), ("weighted", 2.9))
    }
    assert find_difference(compare_arms(**arms), "weighted").mean == pytest.approx(-0.1)


def test_arms_of_other_documents_are_compared_if_that_is_asked_for():
    arms = {"plain": make_arm(3.0, 4.0), "golden": make_arm(2.9, 3.9, ids=2)}
    results = compare_arms(**arms, other_documents=True)
    assert find_difference(results, "golden").mean == pytest.approx(-0.1)
    with pytest.raises(AssayError, match="unless other documents are allowed"):
        compare_arms(**arms)


def test_differences_have_intervals_of_every_loss():
    arms = {
        name: {
            seed: make_result(
                seed, 0, final=make_evaluation(5, nll, bits_per_byte=nll / 2, nll_low=nll + 1)
            )
            for seed, nll in enumerate(losses)
        }
        for name, losses in (("plain", (3.0, 4.0)), ("weighted", (2.9, 3.8)))
    }
    pair = compare_arms(**arms).find_pair("weighted", "plain")
    assert pair is not None
    for metric, size in (("validation_nll", 1.0), ("bits_per_byte", 0.5), ("nll_low", 1.0)):
        interval = pair.difference.find(metric)
        assert interval is not None
        assert interval.values == pytest.approx([-0.1 * size, -0.2 * size])
    assert pair.difference.find("tokens_per_second") is None
