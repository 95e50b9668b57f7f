"""Records of runs, built in code: rows, fingerprints of data, what a checkpoint says of itself."""

from trainer.compare.plan import Plan, PlannedArm
from trainer.config.flat import flatten
from trainer.config.schema import TrainConfig
from trainer.data.corpus import DataFingerprint
from trainer.data.packing import PackingSummary
from trainer.run.checkpoint import Record
from trainer.run.identity import RunIdentity
from trainer.run.metrics import Evaluation, Metrics
from trainer.run.result import RunResult


def make_metrics(step, loss=2.0, **values):
    row = {"tokens": 64 * step, "loss": loss, "nll": loss, "lr": 1e-3, "grad_norm": 0.5}
    row |= {"ess": 1.0, "tokens_per_second": 640.0, "matmul_share": 0.25}
    return Metrics(step=step, **row | values)


def make_evaluation(step, nll=2.0, **values):
    return Evaluation(step=step, validation_nll=nll, **{"validation_tokens": 9} | values)


def make_fingerprint(**values):
    numbers = {"vocab_size": 32, "eos_id": 0, "train_tokens": 9, "validation_tokens": 9}
    names = [
        f"{split}_{what}_crc32"
        for split in ("train", "validation")
        for what in ("documents", "ids")
    ]
    sums = dict.fromkeys((*names, "train_weights_crc32"), 1)
    return DataFingerprint(**{"tokenizer_sha256": "0" * 64} | numbers | sums | values)


def make_record(step=1, config=None, tokens=0, **data):
    """The record of a checkpoint; what else is given is of its data."""
    values = flatten(config or TrainConfig())
    return Record(config=values, data=make_fingerprint(**data), step=step, tokens=tokens)


def make_result(seed, nll, tokens=100, config=None, final=None, **data):
    """What a finished run says of itself; what else is given is of its data."""
    config = config or TrainConfig()
    return RunResult(
        config={**flatten(config), "seed": seed},
        data=make_fingerprint(**data),
        step=config.steps,
        tokens=tokens,
        parameters=9,
        packing=PackingSummary("stream", 9, 0.0, 0.0),
        ess=1.0,
        tokens_per_second=10.0 * (seed + 1),
        final=final or make_evaluation(5, nll),
    )


def make_plan(names, seeds=(0, 1, 2), overrides=None, **values):
    """A plan of arms that differ in objective, or in what `overrides` has by arm."""
    resolved = flatten(TrainConfig(optimizer="adamw", lr=0.004, warmup=50))
    arms = []
    for number, name in enumerate(names):
        given = (overrides or {}).get(name, {})
        identity = RunIdentity(config={**resolved, **given}, data=make_fingerprint())
        arms.append(PlannedArm(name=name, colour=number, overrides=given, identity=identity))
    plan = {"baseline": names[0], "base": flatten(TrainConfig()), "validation_documents": 24}
    return Plan(arms=tuple(arms), seeds=tuple(seeds), **plan | values)
