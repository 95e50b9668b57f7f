"""The score job with a model: its signals, what policies make of them, and the same bytes again."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from pipelines.engine.runner import Engine
from pipelines.score.job import score
from pipelines.score.model_scorer import load_scorers
from pipelines.score.statistics import write_signal_stats
from pipelines.settings import Job, ScoreSettings, WeighSettings
from pipelines.work.folder import WorkFolder
from tests.pipelines.conftest import Finished
from tests.pipelines.jobs import weigh_job
from trainer.config.schema import ModelConfig, TrainConfig
from trainer.run.train import train
from weighting.contracts.halves import is_of_half
from weighting.contracts.reasons import Reason
from weighting.contracts.shards import open_shard
from weighting.contracts.sidecar import read_sidecar
from weighting.contracts.splits import HALVES, WHOLE, B
from weighting.policies.masks import ShareParams
from weighting.policies.params import PolicyParams
from weighting.policies.selection import Selection
from weighting.policies.signal_based import LongceParams
from weighting.signals.model_settings import ModelSettings
from weighting.signals.quantum import QUANTUM
from weighting.signals.trajectory import CLASSES
from weighting.storage.files import sha256
from weighting.vocabulary import read_vocabulary

MODEL = ("nll", "entropy", "excess", "change", "context_gain")
# Of a model that has learnt little.
KEY: dict[str, Any] = {"golden": "key", "key_gain": 0.01, "key_nll": 20.0}
INTERSECTION = WeighSettings(
    "intersection", PolicyParams(own=ShareParams(0.6), **KEY), Selection("golden", 6000)
)


@pytest.fixture(scope="module")
def model(finished, tmp_path_factory) -> ModelSettings:
    """A model that saw a few batches of the finished run, with its checkpoints."""
    run = tmp_path_factory.mktemp("model") / "reference"
    return ModelSettings(train_on(WHOLE, finished, run), checkpoints=3, short=4)


def train_on(half: str, finished: Finished, run: Path) -> str:
    """Train a model on a half of the finished run's documents, or on all of them."""
    config = TrainConfig(
        half=half,
        shards=str(finished.run / "shards"),
        steps=4,
        batch=4,
        lr=0.02,
        warmup=1,
        eval_every=4,
        save_every=1,
        keep=5,
        threads=1,
        device="cpu",
        model=ModelConfig(layers=2, width=16, heads=2, context=32),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.run.train.measure_matmul", lambda device, precision: 1e11)
        train(config, run)
    torch.set_flush_denormal(False)  # training sets it; hypothesis needs subnormal numbers
    return str(run)


def score_into(folder: Path, finished: Finished, model, engine=None) -> Job:
    """Score the tokens of the finished run, from its counts, into a folder."""
    job = Job(folder, WorkFolder(folder / "units"))
    shutil.copytree(finished.run / "units", job.work.path)
    for step in (job.work.score, job.work.weigh):
        shutil.rmtree(step.folder)
    shutil.rmtree(job.work.unit_type_signals.folder)
    job.work.type_signals.path.unlink()
    for name in ("documents", "ledger", "tokenizer.json"):
        (folder / name).symlink_to(finished.run / name)
    settings = ScoreSettings(validation_share=0.2, order=3, model=model)
    score(finished.sizes, settings, job, engine or Engine())
    write_signal_stats(job, read_vocabulary(folder / "tokenizer.json"))
    return job


@pytest.fixture(scope="module")
def scored(finished, model, tmp_path_factory) -> Job:
    """The finished run's tokens, scored in one process."""
    return score_into(tmp_path_factory.mktemp("scored") / "run", finished, model)


@pytest.fixture
def weigh(finished, scored, tmp_path):
    """Weigh what was scored; return the counts and, by name, every shard and its sidecar."""

    def weigh(settings: WeighSettings):
        job = Job(tmp_path / "run", WorkFolder(tmp_path / "run" / "units"))
        job.run.mkdir()
        for name in ("signals", "ledger", "tokenizer.json"):
            (job.run / name).symlink_to(scored.run / name)
        shutil.copytree(scored.run / "stats", job.run / "stats")
        counts = weigh_job(finished.sizes, settings, job, Engine(), finished.counts.documents)
        return counts, [
            (
                open_shard(path).segments[0],
                read_sidecar(job.run / "signals" / f"{path.stem}.parquet"),
            )
            for path in sorted((job.run / "shards").iterdir())
        ]

    return weigh


def read_outputs(run):
    files = [path for name in ("signals", "stats") for path in (run / name).glob("*")]
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in files}


def test_sidecars_hold_what_the_model_says_of_each_token(finished, scored, model):
    (scorer,) = load_scorers(model, sha256(finished.run / "tokenizer.json"))
    paths = sorted((scored.run / "signals").iterdir())
    assert len(paths) == 2 * len(finished.sizes)
    for path in paths[::3]:
        sidecar = read_sidecar(path)
        assert tuple(sidecar.signals) == ("ngram_gain", *MODEL)
        ids_N = sidecar.ids_N.astype(np.uint32)
        values = scorer.score(ids_N, sidecar.offsets_D1, sidecar.info.eos_id)
        for name in MODEL:
            np.testing.assert_allclose(sidecar.signals[name], values[name], atol=2 * QUANTUM)
        assert sidecar.signals["context_gain"].any()
        before = read_sidecar(finished.run / "signals" / path.name)
        assert np.array_equal(before.signals["ngram_gain"], sidecar.signals["ngram_gain"])


def test_statistics_are_those_of_the_sidecars(scored):
    rows = pq.read_table(scored.run / "stats/signals.parquet").to_pylist()
    found = {(row["signal"], row["split"]): row for row in rows}
    types = pq.read_table(scored.run / "stats/types.parquet")
    sums_V, counts_V = np.zeros((2, len(types)))
    for split in ("train", "validation"):
        parts = [read_sidecar(path) for path in (scored.run / "signals").glob(f"{split}-*")]
        for name in MODEL:
            text_N = np.concatenate([part.signals[name][~part.special_N] for part in parts])
            row = found[name, split]
            assert row["tokens"] == len(text_N)
            assert row["mean"] == pytest.approx(text_N.mean(dtype=np.float64))
            assert (row["low"], row["high"]) == (text_N.min(), text_N.max())
        for part in parts:
            sums_V += np.bincount(part.ids_N, part.signals["nll"], len(types))
            counts_V += np.bincount(part.ids_N, minlength=len(types))
    expected_V = np.where(counts_V > 0, sums_V / np.maximum(counts_V, 1), np.nan)
    means_V = types["mean_nll"].to_numpy(zero_copy_only=False)
    np.testing.assert_allclose(means_V, expected_V, rtol=1e-12)


def test_key_tokens_are_golden_and_classes_of_trajectory_add_up(weigh, tmp_path):
    counts, parts = weigh(WeighSettings("soft", PolicyParams(**KEY)))
    assert counts.weighing.golden == "key"
    rows = pq.read_table(tmp_path / "run/stats/trajectories.parquet").to_pylist()
    assert {row["trajectory"] for row in rows} <= set(CLASSES)
    golden, tokens, mass = 0, 0, 0.0
    for segment, sidecar in parts:
        text_N = ~sidecar.special_N
        key_N = (sidecar.signals["context_gain"] > 0.01) & (sidecar.signals["nll"] < 20)
        golden_N = (segment.reasons_N & Reason.GOLDEN) > 0
        assert np.array_equal(golden_N, key_N & text_N)
        golden += golden_N.sum()
        tokens += text_N.sum()
        mass += segment.weights_N[text_N].sum(dtype=np.float64)
    assert golden
    assert sum(row["tokens"] for row in rows) == tokens
    assert sum(row["weight_mass"] for row in rows) == pytest.approx(mass, rel=1e-9)


def test_longce_weighs_by_the_context_gain(weigh):
    counts, parts = weigh(WeighSettings("longce", PolicyParams(own=LongceParams(2.0))))
    for segment, sidecar in parts:
        scale = counts.weighing.splits[sidecar.info.split]
        raw_N = np.minimum(np.exp(sidecar.signals["context_gain"]), 2.0) / scale.mean
        raw_N[sidecar.special_N] = 1.0
        np.testing.assert_allclose(segment.weights_N, raw_N / scale.divisor, rtol=1e-5)


def test_learnt_keeps_what_the_training_brought_down(weigh):
    _, parts = weigh(WeighSettings("learnt", PolicyParams(least_effective=0.0)))
    fell = [sidecar.signals["change"] < -0.2 for _, sidecar in parts]
    assert 0 < np.mean(np.concatenate(fell)) < 1
    for (segment, sidecar), fell_N in zip(parts, fell, strict=True):
        assert np.array_equal(segment.weights_N > 0, fell_N | sidecar.special_N)


def test_intersection_takes_high_excess_and_low_entropy_of_the_selected(weigh):
    counts, parts = weigh(INTERSECTION)
    selection = counts.selection
    assert 0 < selection.kept_tokens <= 6000 < selection.kept_tokens + selection.left_tokens
    for split in ("train", "validation"):
        kept = [segment for segment, sidecar in parts if sidecar.info.split == split]
        names = {name for segment in kept for name in segment.doc_ids.to_pylist()}
        weights_N = np.concatenate([segment.weights_N for segment in kept])
        sidecars = [sidecar for _, sidecar in parts if sidecar.info.split == split]
        chosen_N = np.concatenate([spread(sidecar, names) for sidecar in sidecars])
        values = {
            name: np.concatenate([sidecar.signals[name] for sidecar in sidecars])[chosen_N]
            for name in ("excess", "entropy")
        }
        special_N = np.concatenate([sidecar.special_N for sidecar in sidecars])[chosen_N]
        high, low = (
            np.sort(values[name][~special_N])[:: -1 if name == "excess" else 1]
            for name in ("excess", "entropy")
        )
        at = int(0.6 * (~special_N).sum())
        both_N = (values["excess"] >= high[at]) & (values["entropy"] <= low[at])
        assert np.array_equal(weights_N > 0, both_N | special_N)


def spread(sidecar, names):
    """Which tokens of a sidecar are of documents with these names."""
    chosen_D = np.array([name in names for name in sidecar.doc_ids.to_pylist()])
    return np.repeat(chosen_D, np.diff(sidecar.offsets_D1))


@pytest.mark.slow
@pytest.mark.workers
def test_two_workers_score_to_the_same_bytes(finished, scored, model, tmp_path):
    score_into(tmp_path / "two", finished, model, Engine(workers=2))
    assert read_outputs(tmp_path / "two") == read_outputs(scored.run)


@pytest.mark.slow
@pytest.mark.workers
def test_two_workers_score_to_the_same_bytes_with_a_model_of_each_half(finished, tmp_path):
    names = [train_on(half, finished, tmp_path / half) for half in HALVES]
    halves = ModelSettings(names[0], checkpoints=3, short=4, other=names[1])
    one = score_into(tmp_path / "one", finished, halves)
    two = score_into(tmp_path / "two", finished, halves, Engine(workers=2))
    assert read_outputs(one.run) == read_outputs(two.run)
    for path in (one.run / "signals").iterdir():
        sidecar = read_sidecar(path)
        in_b_D = is_of_half(sidecar.doc_ids.to_pylist(), B)
        in_b_N = np.repeat(in_b_D, np.diff(sidecar.offsets_D1))
        for name, chosen_N in zip(names, (in_b_N, ~in_b_N), strict=True):
            alone = replace(halves, reference=name, other=None)
            (scorer,) = load_scorers(alone, sidecar.info.tokenizer_sha256)
            ids_N = sidecar.ids_N.astype(np.uint32)
            nll_N = scorer.score(ids_N, sidecar.offsets_D1, sidecar.info.eos_id)["nll"]
            found_N = sidecar.signals["nll"]
            np.testing.assert_allclose(found_N[chosen_N], nll_N[chosen_N], atol=2 * QUANTUM)
