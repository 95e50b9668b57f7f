"""The weigh job: what policies of each kind make of one run's signals, and which documents stay."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipelines.engine.runner import Engine
from pipelines.settings import Job, WeighSettings
from pipelines.work.folder import WorkFolder
from tests.pipelines.conftest import RARE, Finished
from tests.pipelines.jobs import read_bytes, weigh_job
from weighting.contracts.counts import SelectionCounts, WeightCounts
from weighting.contracts.manifest import MEAN_TOLERANCE
from weighting.contracts.reasons import Reason
from weighting.contracts.shards import open_shard
from weighting.contracts.sidecar import read_sidecar
from weighting.errors import AssayError
from weighting.policies.controls import RandomParams, ShuffledParams
from weighting.policies.masks import TopParams
from weighting.policies.params import PolicyParams
from weighting.policies.selection import Selection
from weighting.policies.signal_based import SoftParams
from weighting.vocabulary import read_vocabulary

SPLITS = ("train", "validation")
SHARED = ("signals", "ledger", "tokenizer.json")
BUDGET = 5000  # of some 16,000 train tokens
ONE = np.float32(1).view(np.uint32)

UNIFORM = WeighSettings("uniform")
FACE = WeighSettings("face")
SOFT = WeighSettings("soft")
TOP = WeighSettings("top_k", PolicyParams(own=TopParams(0.3, "ngram_gain")))
RANDOM = WeighSettings("random", PolicyParams(own=RandomParams(0.3, 3)))
SHUFFLED = WeighSettings("shuffled", PolicyParams(own=ShuffledParams("soft", 1)))
GOLDEN = WeighSettings("top_k", TOP.params, Selection("golden", BUDGET))
CHANCE = WeighSettings("uniform", selection=Selection("random", BUDGET))
ALL = (UNIFORM, FACE, SOFT, TOP, RANDOM, SHUFFLED, GOLDEN, CHANCE)


@dataclass
class Weighed:
    """The shards of a weighing, each beside its sidecar, and its counts."""

    run: Path
    counts: WeightCounts

    def read(self, split, column):
        """Return a column of the split's tokens, end to end in the order of the shards."""
        paths = sorted((self.run / "shards").glob(f"{split}-*"))
        return np.concatenate([getattr(read_segment(path), column) for path in paths])

    def read_signal(self, split, name):
        """Likewise a signal, where all documents are selected."""
        paths = sorted((self.run / "signals").glob(f"{split}-*"))
        return np.concatenate([read_sidecar(path).signals[name] for path in paths])

    def read_text(self, split):
        """Likewise which tokens are no ends of text."""
        return (self.read(split, "reasons_N") & Reason.SPECIAL) == 0

    def list_documents(self, split):
        """Return the ids of the split's documents."""
        paths = (self.run / "shards").glob(f"{split}-*")
        return {name for path in paths for name in read_segment(path).doc_ids.to_pylist()}


def read_segment(path):
    (segment,) = open_shard(path).segments
    return segment


def weigh_into(folder: Path, finished: Finished, settings, engine=None) -> Weighed:
    """Weigh the finished run's sidecars into a folder, or go on with what is there."""
    folder.mkdir(exist_ok=True)
    for name in SHARED:
        if not (folder / name).exists():
            (folder / name).symlink_to(finished.run / name)
    shutil.copytree(finished.run / "stats", folder / "stats", dirs_exist_ok=True)
    job = Job(folder, WorkFolder(folder / "units"))
    documents = finished.counts.documents
    return Weighed(folder, weigh_job(finished.sizes, settings, job, engine or Engine(), documents))


@pytest.fixture(scope="module")
def weigh(finished, tmp_path_factory):
    """Weigh by some settings; the same ones once only."""
    folder, done = tmp_path_factory.mktemp("weighed"), {}

    def weigh(settings) -> Weighed:
        key = repr(settings)
        if key not in done:
            done[key] = weigh_into(folder / str(len(done)), finished, settings)
        return done[key]

    return weigh


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.policy)
def test_weights_average_one_whatever_the_policy(weigh, settings):
    weighed = weigh(settings)
    assert weighed.counts.weighing.policy == settings.policy
    for split in SPLITS:
        weights_N = weighed.read(split, "weights_N")
        assert abs(weights_N.mean(dtype=np.float64) - 1) <= MEAN_TOLERANCE
        assert weights_N.min() >= 0
        counts = weighed.counts.splits[split]
        assert (counts.tokens, counts.zeros) == (len(weights_N), (weights_N == 0).sum())
        assert counts.max == weights_N.max()


def test_uniform_weights_are_one_to_the_bit(weigh):
    for split in SPLITS:
        assert (weigh(UNIFORM).read(split, "weights_N").view(np.uint32) == ONE).all()


def test_face_goes_by_the_type_and_silences_the_commonest(weigh):
    weighed = weigh(FACE)
    counts_V = pq.read_table(weighed.run / "stats/types.parquet")["count_train"].to_numpy().copy()
    ids_N, weights_N = (weighed.read("train", name) for name in ("ids_N", "weights_N"))
    text_N = weighed.read_text("train")
    counts_V[ids_N[~text_N][0]] = 0
    expected_N = (1 - counts_V / counts_V.max())[ids_N]
    ratio_N = weights_N[text_N & (expected_N > 0)] / expected_N[text_N & (expected_N > 0)]
    assert np.ptp(ratio_N) < 1e-5 * ratio_N[0]
    assert set(ids_N[weights_N == 0]) == {counts_V.argmax()}


def test_top_k_keeps_its_share_of_the_text_to_the_token(weigh):
    weighed = weigh(TOP)
    for split in SPLITS:
        text_N, gain_N = weighed.read_text(split), weighed.read_signal(split, "ngram_gain")
        scale = weighed.counts.weighing.splits[split]
        kept_N = weighed.read(split, "weights_N") * scale.mean * scale.divisor
        assert scale.mix == 0
        assert kept_N[text_N].sum() == pytest.approx(0.3 * text_N.sum(), rel=1e-6)
        border, part = scale.cuts["ngram_gain"]
        assert border == np.sort(gain_N[text_N])[::-1][int(0.3 * text_N.sum())]
        expected_N = np.where(gain_N == border, part, gain_N > border)
        np.testing.assert_allclose(kept_N[text_N], expected_N[text_N], rtol=1e-6)


def test_random_keeps_about_its_share_and_all_of_it_alike(weigh):
    weighed = weigh(RANDOM)
    weights_N = weighed.read("train", "weights_N")[weighed.read_text("train")]
    share = (weights_N > 0).mean()
    assert abs(share - 0.3) < 4 * np.sqrt(0.3 * 0.7 / len(weights_N))
    assert len(np.unique(weights_N)) == 2
    assert abs(np.corrcoef(weights_N[1:], weights_N[:-1])[0, 1]) < 0.05


def test_shuffled_weights_are_the_same_ones_in_another_order(weigh):
    soft, shuffled = weigh(SOFT).run / "shards", weigh(SHUFFLED).run / "shards"
    assert sorted(path.name for path in soft.iterdir()) == sorted(
        path.name for path in shuffled.iterdir()
    )
    for path in soft.iterdir():
        before, after = (read_segment(one) for one in (path, shuffled / path.name))
        assert np.array_equal(np.sort(before.weights_N), np.sort(after.weights_N))
        assert np.array_equal(before.reasons_N, after.reasons_N)
        special_N = before.reasons_N == Reason.SPECIAL
        assert np.array_equal(before.weights_N[special_N], after.weights_N[special_N])
        order = np.corrcoef(before.weights_N[~special_N], after.weights_N[~special_N])[0, 1]
        assert abs(order) < 0.2


def test_the_weight_stands_at_the_rare_token_and_not_beside_it(finished, tmp_path):
    params = PolicyParams(own=SoftParams({"surprisal": 1.0}, 1e6))
    weighed = weigh_into(tmp_path / "run", finished, WeighSettings("soft", params))
    rare = read_vocabulary(finished.run / "tokenizer.json").tokens.index(RARE.encode())
    (split,) = [split for split in SPLITS if rare in weighed.read(split, "ids_N")]
    ids_N, weights_N = (weighed.read(split, name) for name in ("ids_N", "weights_N"))
    (at,) = np.flatnonzero(ids_N == rare)
    assert weights_N.argmax() == at
    assert weights_N[at] > 1.5 * max(weights_N[at - 1], weights_N[at + 1])


def measure_densities(weighed):
    """The golden share of the text of each train document, and its tokens, from all shards."""
    densities, sizes = {}, {}
    for path in (weighed.run / "shards").glob("train-*"):
        segment = read_segment(path)
        cuts = segment.offsets_D1
        for name, start, stop in zip(segment.doc_ids.to_pylist(), cuts[:-1], cuts[1:], strict=True):
            golden_N = segment.reasons_N[start : stop - 1] & Reason.GOLDEN
            densities[name], sizes[name] = (golden_N > 0).mean(), int(stop - start)
    return densities, sizes


def test_the_richest_documents_are_selected_and_what_is_left_is_told(weigh):
    densities, sizes = measure_densities(weigh(SOFT))
    weighed = weigh(GOLDEN)
    kept = weighed.list_documents("train")
    left = set(densities) - kept
    tokens = sum(sizes[name] for name in kept)
    assert BUDGET - max(sizes.values()) < tokens <= BUDGET
    assert min(densities[name] for name in kept) >= max(densities[name] for name in left)
    assert weighed.counts.selection == SelectionCounts(
        by="golden",
        tokens=BUDGET,
        seed=0,
        kept_documents=len(kept),
        kept_tokens=tokens,
        left_documents=len(left),
        left_tokens=sum(sizes.values()) - tokens,
    )
    assert weighed.list_documents("validation") == weigh(SOFT).list_documents("validation")


def test_chance_selects_as_much_and_others(weigh):
    _, sizes = measure_densities(weigh(SOFT))
    kept = weigh(CHANCE).list_documents("train")
    tokens = weigh(CHANCE).counts.selection.kept_tokens
    assert tokens == sum(sizes[name] for name in kept)
    assert BUDGET - max(sizes.values()) < tokens <= BUDGET
    assert kept != weigh(GOLDEN).list_documents("train")


def test_a_budget_that_holds_all_leaves_nothing(weigh, finished, tmp_path):
    settings = WeighSettings("soft", selection=Selection("surprisal", 10**9))
    weighed = weigh_into(tmp_path / "run", finished, settings)
    selection = weighed.counts.selection
    assert selection is not None
    assert selection.left_documents == 0
    assert selection.left_tokens == 0
    assert read_shards(weighed.run) == read_shards(weigh(SOFT).run)


def test_a_budget_below_the_first_document_is_refused(weigh, finished, tmp_path):
    densities, sizes = measure_densities(weigh(SOFT))
    first = sizes[max(densities, key=lambda name: densities[name])]
    settings = WeighSettings("soft", selection=Selection("golden", first - 1))
    message = rf"tokens is {first - 1}, too few for any document: the first .* takes {first}$"
    with pytest.raises(AssayError, match=message):
        weigh_into(tmp_path / "run", finished, settings)


def read_shards(run):
    return {path.name: path.read_bytes() for path in (run / "shards").iterdir()}


def test_a_weighing_goes_on_from_its_finished_units(weigh, finished, tmp_path):
    whole, again = weigh(GOLDEN), tmp_path / "again"
    shutil.copytree(whole.run, again, symlinks=True)
    before = read_bytes(again)
    for summary in WorkFolder(again / "units").weigh.folder.glob("*.done.json"):
        if int(summary.name[:6]) % 2:
            summary.unlink()
            (again / "shards" / f"train-{summary.name[:6]}.arrow").unlink()
    stamps = {path: path.stat().st_mtime_ns for path in (again / "shards").iterdir()}
    assert weigh_into(again, finished, GOLDEN).counts == whole.counts
    assert read_bytes(again) == before
    kept = [path for path in stamps if not int(path.stem[-6:]) % 2]
    assert kept
    assert all(path.stat().st_mtime_ns == stamps[path] for path in kept)


@pytest.mark.slow
@pytest.mark.workers
def test_two_workers_and_another_order_of_units_give_the_same_bytes(weigh, finished, tmp_path):
    order = {uid: -size for uid, size in finished.sizes.items()}  # the largest come first
    turned = finished._replace(sizes=order)
    one, two = weigh(GOLDEN), weigh_into(tmp_path / "two", turned, GOLDEN, Engine(workers=2))
    assert two.counts == one.counts
    assert read_bytes(two.run) == read_bytes(one.run)
