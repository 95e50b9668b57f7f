"""The loop of a run: update, and now and then log, evaluate and save."""

import gc
import math
import signal
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from trainer.config.flat import flatten
from trainer.config.schema import TrainConfig
from trainer.data.corpus import Corpus
from trainer.data.loader import Loader
from trainer.data.prefetch import prefetching
from trainer.machine.interrupt import Caught, Interrupted
from trainer.machine.matmul_rate import matmul_share
from trainer.machine.process_group import Ranks
from trainer.machine.resources import quiet_collector
from trainer.objectives.losses import LossFunction
from trainer.run import checkpoint
from trainer.run.evaluate import Evaluator
from trainer.run.metrics import Report, append_row
from trainer.run.optim import lr_at
from trainer.run.state import State
from trainer.run.step import Update, update
from weighting.errors import AssayError


class Diverged(AssayError):
    """The loss or the gradient is no longer a finite number."""

    exit_code = 1


@dataclass(frozen=True)
class Work:
    """All that stays the same while a run goes on."""

    config: TrainConfig
    out: Path
    corpus: Corpus
    data: dict[str, Any]  # what makes two runs' data the same
    loader: Loader
    evaluator: Evaluator
    compute: LossFunction
    ranks: Ranks
    matmul_rate: float  # FLOP/s of all processes
    report: Report


def run_steps(state: State, work: Work, caught: Caught) -> None:
    """Step until the last step or a signal; evaluate, save and log on the way.

    Raises:
        Diverged: the loss or the gradient is not finite.
        Interrupted: a signal came; a checkpoint was written.
    """
    config, previous = work.config, None
    tokens, seconds, stopping = 0, 0.0, False  # since the last row

    def due(every: int) -> bool:
        return state.step % every == 0 or state.step == config.steps

    with prefetching(work.loader.load, state.step, config.steps) as batches, quiet_collector():
        while state.step < config.steps and not stopping:
            began = perf_counter()
            count = work.loader.targets(state.step)
            batch = next(batches).to(config.device)
            current = update(state, batch, count, work.compute, stop=caught.number > 0)
            # One step late: the device has the next step queued while its numbers are awaited.
            stops = _check_finite(previous, work) if previous else 0.0
            tokens, seconds, previous = tokens + count, seconds + perf_counter() - began, current
            if due(config.log_every):
                _log(current, state, work, tokens / seconds)
                tokens, seconds = 0, 0.0
            if due(config.eval_every):
                _evaluate(state, work)
            if due(config.save_every):
                _check_finite(current, work)
                save(state, work)
            # Processes agree on when to stop: what they know of each other is a step old.
            stopping = (stops if work.ranks.count > 1 else caught.number) > 0
    if state.step < config.steps:
        _stop(previous, state, work, caught)


def save(state: State, work: Work) -> None:
    """Write a checkpoint, from the one process that does."""
    gc.collect()
    if not work.ranks.leads:
        return
    record = {
        "step": state.step,
        "tokens": state.tokens,
        "config": flatten(work.config),
        "data": work.data,
    }
    checkpoint.save(work.out / "checkpoints", record, state.files(), work.config.keep)


def _stop(last: Update | None, state: State, work: Work, caught: Caught) -> None:
    if last:
        _check_finite(last, work)
        save(state, work)
    where = f"{work.out}: stopped and saved at step {state.step}"
    raise Interrupted(caught.number or signal.SIGTERM, f"{where}; run again to resume")


def _check_finite(update: Update, work: Work) -> float:
    scores = update.read()
    if all(map(math.isfinite, (scores.loss, scores.nll, scores.norm, scores.share))):
        return scores.stop
    # A gradient can overflow while every loss is finite: then the batch's first target stands in.
    places = work.ranks.gather_objects(_find_bad(update, work))
    place = next((place for bad, place in places if bad), places[0][1])
    shard, document = work.corpus.train.locate(place)
    raise Diverged(
        f"step {update.step}: loss {scores.loss:g}, gradient norm {scores.norm:g}; first target "
        f"at fault is in {shard}, document {document}; look at it, or lower lr ({work.config.lr:g})"
    )


def _find_bad(update: Update, work: Work) -> tuple[bool, int]:
    """Return whether a target of this process has a bad loss, and its place in the stream."""
    bad = torch.nonzero(~torch.isfinite(update.nll_BxT)).tolist()
    row, column = bad[0] if bad else (0, 0)
    return bool(bad), work.loader.packing.locate(int(update.rows_B[row]), column)


def _log(update: Update, state: State, work: Work, speed: float) -> None:
    _check_finite(update, work)
    scores, model = update.read(), state.model
    flops = model.flops_per_token(work.config.model.context)
    row = {
        "step": update.step,
        "tokens": state.tokens,
        "loss": scores.loss,
        "nll": scores.nll,
        "lr": lr_at(update.step - 1, work.config),
        "grad_norm": scores.norm,
        "ess": scores.share,
        "tokens_per_second": speed,
        "matmul_share": matmul_share(flops, speed, work.matmul_rate),
    }
    _write(work, "metrics.jsonl", row)


def _evaluate(state: State, work: Work) -> None:
    row = {"step": state.step, **work.evaluator.evaluate(state.model)}
    if not math.isfinite(row["validation_nll"]):
        raise Diverged(
            f"step {state.step}: validation loss {row['validation_nll']}; the update before it "
            f"was on finite losses, so lower lr ({work.config.lr:g})"
        )
    _write(work, "evaluations.jsonl", row)


def _write(work: Work, name: str, row: dict[str, Any]) -> None:
    if work.ranks.leads:
        append_row(work.out / name, row)
        work.report(row)
