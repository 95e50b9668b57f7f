"""The loop of a run: update, and now and then log, evaluate and save."""

import gc
import math
import signal
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch

from trainer.data.loader import Loader
from trainer.data.prefetch import prefetching
from trainer.machine.matmul_rate import matmul_share
from trainer.machine.resources import quiet_collector
from trainer.objectives.losses import LossFunction
from trainer.run import checkpoint
from trainer.run.evaluate import Evaluator
from trainer.run.metrics import EVALUATIONS, METRICS, Metrics, Report, Row, append_row
from trainer.run.optim import lr_at
from trainer.run.setup import Setup
from trainer.run.state import State
from trainer.run.step import Update, update
from weighting.errors import AssayError, Interrupted
from weighting.processes.interruption import Caught


class Diverged(AssayError):
    """The loss or the gradient is no longer a finite number, from update `step` on."""

    exit_code = 1

    def __init__(self, out: Path, step: int, message: str) -> None:
        super().__init__(f"{out}: diverged at step {step}: {message}")
        self.step = step
        self.message = message


@dataclass(frozen=True)
class Work:
    """All that stays the same while a run goes on."""

    setup: Setup
    loader: Loader
    evaluator: Evaluator
    compute: LossFunction
    matmul_rate: float  # FLOP/s of all processes
    report: Report


def run_steps(state: State, work: Work, caught: Caught) -> None:
    """Step until the last step or a signal; evaluate, save and log on the way.

    Raises:
        Diverged: the loss or the gradient is not finite.
        Interrupted: a signal came; a checkpoint was written.
    """
    config, previous = work.setup.config, None
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
            stopping = (stops if work.setup.ranks.count > 1 else caught.number) > 0
    if state.step < config.steps:
        _stop(previous, state, work, caught)


def save(state: State, work: Work) -> None:
    """Write a checkpoint, from the one process that does."""
    gc.collect()
    setup = work.setup
    if not setup.ranks.leads:
        return
    record = checkpoint.Record(**vars(setup.identity), step=state.step, tokens=state.tokens)
    counts_V = torch.from_numpy(setup.corpus.target_counts_V)
    files = {**state.files(), checkpoint.TARGETS: {"counts": counts_V}}
    checkpoint.save(setup.out / "checkpoints", record, files, setup.config.keep)


def _stop(last: Update | None, state: State, work: Work, caught: Caught) -> None:
    if last:
        _check_finite(last, work)
        save(state, work)
    where = f"{work.setup.out}: stopped and saved at step {state.step}"
    raise Interrupted(caught.number or signal.SIGTERM, f"{where}; run again to resume")


def _check_finite(update: Update, work: Work) -> float:
    scores = update.read()
    if all(map(math.isfinite, (scores.loss, scores.nll, scores.norm, scores.share))):
        return scores.stop
    # A gradient can overflow while every loss is finite: then the batch's first target stands in.
    places = work.setup.ranks.gather_objects(_find_bad(update, work))
    place = next((place for bad, place in places if bad), places[0][1])
    shard, document = work.setup.corpus.train.locate(place)
    raise Diverged(
        work.setup.out,
        update.step,
        f"loss {scores.loss:g}, gradient norm {scores.norm:g}; first target at fault is in "
        f"{shard}, document {document}; look at it, or lower lr ({work.setup.config.lr:g})",
    )


def _find_bad(update: Update, work: Work) -> tuple[bool, int]:
    """Return whether a target of this process has a bad loss, and its place in the stream."""
    bad = torch.nonzero(~torch.isfinite(update.nll_BxT)).tolist()
    row, column = bad[0] if bad else (0, 0)
    return bool(bad), work.loader.packing.locate(int(update.rows_B[row]), column)


def _log(update: Update, state: State, work: Work, speed: float) -> None:
    _check_finite(update, work)
    scores, config = update.read(), work.setup.config
    flops = state.model.flops_per_token(config.model.context)
    row = Metrics(
        step=update.step,
        tokens=state.tokens,
        loss=scores.loss,
        nll=scores.nll,
        lr=lr_at(update.step - 1, config),
        grad_norm=scores.norm,
        ess=scores.share,
        tokens_per_second=speed,
        matmul_share=matmul_share(flops, speed, work.matmul_rate),
    )
    _write(work, METRICS, row)


def _evaluate(state: State, work: Work) -> None:
    row = work.evaluator.evaluate(state.model, state.step)
    if not math.isfinite(row.validation_nll):
        raise Diverged(
            work.setup.out,
            state.step,
            f"validation loss {row.validation_nll}; the update before it was on finite losses, so "
            f"lower lr ({work.setup.config.lr:g})",
        )
    _write(work, EVALUATIONS, row)


def _write(work: Work, name: str, row: Row) -> None:
    if work.setup.ranks.leads:
        append_row(work.setup.out / name, row)
        work.report(row)
