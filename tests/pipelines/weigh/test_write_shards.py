"""Shards hold what the pure function gives for the sidecars, to the bit, and units stay apart."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from pipelines.settings import Job, WeighSettings
from pipelines.weigh import job as weigh_module
from pipelines.weigh import sum_weights, weigh_inputs
from pipelines.weigh.calibrate import Calibration
from pipelines.weigh.shard_sums import HISTOGRAM_EDGES, histogram
from pipelines.weigh.weigh_inputs import load_inputs, read_splits
from pipelines.weigh.write_shards import weigh_documents
from pipelines.work.folder import WorkFolder
from tests.pipelines.weigh.test_job import GOLDEN, RANDOM, SHUFFLED, SOFT, TOP, weigh_into
from weighting.contracts.counts import WeighingFacts
from weighting.contracts.shards import open_shard
from weighting.contracts.splits import SPLITS
from weighting.policies.normalisation import Scale
from weighting.policies.quantiles import Cut
from weighting.policies.selection import Borders
from weighting.policies.weighing import flag_tokens, weigh_tokens


def read_job(weighed) -> Job:
    return Job(weighed.run, WorkFolder(weighed.run / "units"))


def load(weighed, settings):
    return load_inputs(settings, weighed.run / "signals", weighed.run)


def read_facts(weighed) -> WeighingFacts:
    return read_job(weighed).work.weighing.read()


def read_known(facts: WeighingFacts) -> Calibration:
    """What a weighing found, but for the scales, from what the manifest says."""
    return Calibration(
        borders=None if facts.borders is None else Borders(*facts.borders),
        cuts={
            name: {k: Cut(*c) for k, c in one.cuts.items()} for name, one in facts.splits.items()
        },
        least_gains={name: one.golden_from for name, one in facts.splits.items()},
    )


@pytest.mark.parametrize("settings", [SOFT, TOP, RANDOM, SHUFFLED, GOLDEN], ids=lambda s: s.policy)
def test_shards_hold_what_the_function_gives(finished, settings, tmp_path):
    weighed = weigh_into(tmp_path / "run", finished, settings)
    inputs, facts = load(weighed, settings), read_facts(weighed)
    known = read_known(facts)
    written = 0
    for uid in finished.sizes:
        for found in read_splits(uid, inputs, known):
            path = weighed.run / "shards" / f"{found.split}-{uid:06d}.arrow"
            assert path.exists() == bool(len(found.sidecar.doc_ids))
            if not path.exists():
                continue
            (segment,) = open_shard(path).segments
            told = facts.splits[found.split]
            cuts = {name: Cut(*cut) for name, cut in told.cuts.items()}
            scale = Scale(told.mean, told.mix, told.divisor, told.effective)
            weights = weigh_tokens(found.batch, inputs.scheme, cuts, scale)
            assert np.array_equal(segment.weights_N, weights.weights_N)
            reasons = flag_tokens(found.batch, inputs.scheme, told.golden_from)
            assert np.array_equal(segment.reasons_N, reasons)
            assert segment.doc_ids.to_pylist() == [*found.batch.doc_ids]
            written += len(weights.weights_N)
    assert written == sum(split.tokens for split in weighed.counts.splits.values())


def note_call(function, path, *args, **told):
    """Call a function and note it in a file, which works in a graph, too: Beam copies closures."""
    with path.open("a") as file:
        file.write(f"{function.__name__}\n")
    return function(*args, **told)


def test_cuts_and_scales_are_found_once_for_all_units(finished, tmp_path, monkeypatch):
    names = ["find_least_gains", "find_score_border", "find_selection", "find_cuts", "find_scales"]
    for name in names:
        function = getattr(weigh_module, name)
        monkeypatch.setattr(weigh_module, name, partial(note_call, function, tmp_path / "calls"))
    weigh_into(tmp_path / "run", finished, GOLDEN)
    assert len(finished.sizes) > 2
    assert (tmp_path / "calls").read_text().split() == names


def test_sums_and_ranks_do_without_reasons(finished, tmp_path, monkeypatch):
    weighed = weigh_into(tmp_path / "run", finished, TOP)
    inputs = load(weighed, TOP)

    def refuse(*_):
        raise AssertionError("reasons are not read here")

    monkeypatch.setattr(weigh_inputs, "flag_tokens", refuse)
    known = Calibration(cuts={split: {"ngram_gain": Cut(1.0, 0.5)} for split in SPLITS})
    uid = min(finished.sizes)
    assert sum_weights.count_ranks(uid, inputs, known).sum() > 0
    assert sum_weights.sum_unit(uid, inputs, known).splits["train"].tokens > 0


def test_reasons_of_selected_documents_are_found_once(finished, tmp_path, monkeypatch):
    weighed = weigh_into(tmp_path / "run", finished, GOLDEN)
    inputs, facts, calls = load(weighed, GOLDEN), read_facts(weighed), []

    def note(batch, *told):
        calls.append(len(batch.ids_N))
        return flag_tokens(batch, *told)

    monkeypatch.setattr(weigh_inputs, "flag_tokens", note)
    known = replace(read_known(facts), scales={"train": Scale(1.0, 0.0, 1.0, 1.0)})
    uid = min(finished.sizes)
    (train,) = [one for one in read_splits(uid, inputs, known) if one.split == "train"]
    tokens = weigh_documents(train, known)
    assert len(calls) == 1
    least_gain = known.least_gains["train"]
    assert np.array_equal(tokens.reasons_N, flag_tokens(train.batch, inputs.scheme, least_gain))


def test_a_unit_leaves_a_summary_that_says_where_its_weight_lies(finished, tmp_path):
    weighed = weigh_into(tmp_path / "run", finished, SOFT)
    told = list(read_job(weighed).work.weigh)
    assert len(told) == len(finished.sizes)
    for unit in told:
        assert unit.tokens == sum(shard.tokens for shard in unit.shards.values())
        for shard in unit.shards.values():
            (segment,) = open_shard(weighed.run / shard.path).segments
            weights = segment.weights_N.astype(np.float64)
            assert shard.documents == len(segment.doc_ids)
            assert (shard.mass, shard.max) == (weights.sum(), weights.max())
            assert sum(row.mass for row in shard.sources.values()) == pytest.approx(shard.mass)
            deciles = [row for rows in shard.deciles.values() for row in rows]
            assert sum(row.tokens for row in deciles) == shard.tokens == sum(shard.histogram)
            assert shard.reasons["special"].tokens == shard.documents
            assert shard.trajectories == {}


@pytest.mark.parametrize(("weight", "bin_"), [(0.0, 0), (1e-9, 0), (1.0, 25), (1e9, 48)])
def test_bins_of_the_histogram(weight, bin_):
    counts = histogram(np.array([weight]))
    assert len(counts) == len(HISTOGRAM_EDGES) - 1
    assert counts[bin_] == 1
    assert HISTOGRAM_EDGES[bin_] <= weight


def test_settings_without_a_selection_read_all_documents(finished, tmp_path):
    weighed = weigh_into(tmp_path / "run", finished, SOFT)
    inputs = load(weighed, WeighSettings("soft"))
    found = list(read_splits(min(finished.sizes), inputs, Calibration(Borders(0, 0))))
    assert sum(len(one.sidecar.doc_ids) for one in found) > 0
