"""One training run: from shards to checkpoints, metrics and a result.

    OUT/metrics.jsonl       one row every `log_every` steps
    OUT/evaluations.jsonl   one row every `eval_every` steps
    OUT/checkpoints/        see trainer.checkpoint
    OUT/result.json         written last: config, fingerprint of the data, final evaluation

Running again continues from the last checkpoint, and the bytes that it writes are those of a run
that was never interrupted. A finished run is returned as it is.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from trainer import checkpoint, machine
from trainer.config import TrainConfig, check_same, flatten, override
from trainer.corpus import Corpus, open_corpus
from trainer.data import Batch, Loader
from trainer.evaluate import Evaluator, build_evaluator
from trainer.interrupt import Caught, Interrupted, catching_signals
from trainer.metrics import Report, append_row, cut_rows, read_rows
from trainer.model import GPT, build_model
from trainer.objectives import OBJECTIVES, READS_WEIGHTS, effective_share, token_nll
from trainer.optim import build_optimizer, lr_at, set_lr
from weighting.errors import AssayError
from weighting.files import read_json, write_json
from weighting.lock import locking


class Diverged(AssayError):
    """The loss or the gradient is no longer a finite number."""

    exit_code = 1


@dataclass
class State:
    """All that changes while a run goes on, and all that a resume needs."""

    model: GPT
    optimizer: Optimizer
    step: int = 0  # updates done
    tokens: int = 0  # targets seen


@dataclass(frozen=True)
class Work:
    """All that stays the same while a run goes on."""

    config: TrainConfig
    out: Path
    corpus: Corpus
    loader: Loader
    evaluator: Evaluator
    forward: Callable[[Tensor], Tensor]
    report: Report


@dataclass(frozen=True)
class Update:
    """What one update measured, still on the device: reading a number waits for it."""

    step: int
    windows_B: npt.NDArray[np.int64]
    nll_BxT: Tensor
    scores_4: Tensor  # loss, plain loss, norm of the gradient, effective share of the targets


def train(config: TrainConfig, out: Path, report: Report | None = None) -> dict[str, Any]:
    """Train, resume or return a finished run; `report` gets every metrics and evaluation row.

    Raises:
        AssayError: unusable data or config, or `out` holds a run of another config or other data.
        Diverged: the loss or the gradient is not finite.
        Interrupted: a signal ended the run after a checkpoint.
    """
    config = machine.settle(config)
    corpus = open_corpus(config.shards)
    check_weights_are_live(config, corpus)
    result = find_result(config, corpus, out)
    if result is not None:
        return result
    machine.prepare(config)
    with locking(out):
        state = _build_state(config, corpus)
        work = _build_work(config, corpus, out, state.model, report or (lambda _: None))
        _resume(state, work)
        with catching_signals() as caught:
            _loop(state, work, caught)
        return _write_result(state, work)


def find_result(config: TrainConfig, corpus: Corpus, out: Path) -> dict[str, Any] | None:
    """Return the result of a finished run in `out`, None where there is none.

    Raises:
        AssayError: it was made with another config or from other data.
    """
    path = out / "result.json"
    if not path.exists():
        return None
    result: dict[str, Any] = read_json(path)
    check_same(path, result["config"], flatten(config))
    check_same(path, result["data"], corpus.fingerprint)
    return result


def evaluate_run(out: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate the newest checkpoint of a run, with some fields of its config replaced.

    Raises:
        AssayError: no checkpoint, or shards of another tokenizer.
    """
    latest = checkpoint.find_latest(out / "checkpoints")
    if latest is None:
        raise AssayError(f"{out}: no checkpoint here; give the folder of a run")
    record = checkpoint.read_record(latest)
    config = machine.settle(override(TrainConfig(), {**record["config"], **values}))
    corpus = open_corpus(config.shards)
    if corpus.info.tokenizer_sha256 != record["data"]["tokenizer_sha256"]:
        raise AssayError(f"{config.shards}: of another tokenizer than the run {out}")
    machine.prepare(config)
    model = build_model(config.model, corpus.info.vocab_size, config.seed).to(config.device)
    checkpoint.load_model(latest, model)
    return {"step": record["step"], **build_evaluator(corpus, config).evaluate(model)}


def check_weights_are_live(config: TrainConfig, corpus: Corpus) -> None:
    """Raise AssayError where a weighted objective would be the plain one in disguise."""
    _, uniform = corpus.weight_spread
    if config.objective in READS_WEIGHTS and uniform and not config.allow_uniform_weights:
        raise AssayError(
            f"{config.shards}: all training weights are equal, so objective "
            f"{config.objective!r} would be plain; weigh the tokens or use objective 'plain'"
        )


def _build_state(config: TrainConfig, corpus: Corpus) -> State:
    model = build_model(config.model, corpus.info.vocab_size, config.seed).to(config.device)
    return State(model, build_optimizer(model, config))


def _build_work(config: TrainConfig, corpus: Corpus, out: Path, model: GPT, report: Report) -> Work:
    return Work(
        config=config,
        out=out,
        corpus=corpus,
        loader=Loader(corpus.train, config.model.context, config.batch, config.seed),
        evaluator=build_evaluator(corpus, config),
        forward=torch.compile(model, dynamic=False) if config.compile else model,
        report=report,
    )


def _resume(state: State, work: Work) -> None:
    latest = checkpoint.find_latest(work.out / "checkpoints")
    if latest is not None:
        record = checkpoint.read_record(latest)
        check_same(latest, record["config"], flatten(work.config))
        check_same(latest, record["data"], work.corpus.fingerprint)
        checkpoint.load_model(latest, state.model)
        checkpoint.load_optimizer(latest, state.model, state.optimizer)
        state.step, state.tokens = record["step"], record["tokens"]
    for name in ("metrics.jsonl", "evaluations.jsonl"):
        cut_rows(work.out / name, state.step)


def _loop(state: State, work: Work, caught: Caught) -> None:
    """Step until the last step or a signal; evaluate, save and log on the way."""
    config, previous = work.config, None
    tokens, seconds = 0, 0.0  # since the last row

    def due(every: int) -> bool:
        return state.step % every == 0 or state.step == config.steps

    while state.step < config.steps and not caught.number:
        began = perf_counter()
        batch = work.loader.load(state.step)
        update = _update(state, work, batch.to(config.device))
        # One step late: the device then has the next step queued while its numbers are awaited.
        if previous is not None:
            _check_finite(previous, work)
        tokens, seconds, previous = tokens + batch.targets, seconds + perf_counter() - began, update
        if due(config.log_every):
            _log(update, state, work, tokens / seconds)
            tokens, seconds = 0, 0.0
        if due(config.eval_every):
            _evaluate(state, work)
        if due(config.save_every):
            _check_finite(update, work)
            _save(state, work)
    if state.step < config.steps:
        if previous is not None:
            _check_finite(previous, work)
            _save(state, work)
        where = f"{work.out}: stopped and saved at step {state.step}"
        raise Interrupted(caught.number, f"{where}; run again to resume")


def _update(state: State, work: Work, batch: Batch) -> Update:
    config, model = work.config, state.model
    set_lr(state.optimizer, lr_at(state.step, config))
    with machine.autocast(config.device):
        logits = work.forward(batch.inputs_BxT)
    nll_BxT = token_nll(logits, batch.targets_BxT)
    loss = OBJECTIVES[config.objective](nll_BxT, batch.weights_BxT, batch.targets)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = clip_grad_norm_(model.parameters(), config.clip)
    state.optimizer.step()
    state.optimizer.zero_grad()
    state.step += 1
    state.tokens += batch.targets
    nll_BxT = nll_BxT.detach()
    share = effective_share(batch.weights_BxT, batch.targets)
    scores = torch.stack([loss.detach(), nll_BxT.sum() / batch.targets, norm, share])
    return Update(state.step, batch.windows_B, nll_BxT, scores)


def _check_finite(update: Update, work: Work) -> None:
    if bool(torch.isfinite(update.scores_4).all()):
        return
    loss, _, norm, _ = update.scores_4.tolist()
    bad = torch.nonzero(~torch.isfinite(update.nll_BxT)).tolist()
    # A gradient can overflow while every loss is finite: then the batch's first target stands in.
    row, column = bad[0] if bad else (0, 0)
    target = int(update.windows_B[row]) * work.config.model.context + column + 1
    shard, document = work.corpus.train.locate(target)
    raise Diverged(
        f"step {update.step}: loss {loss:g}, gradient norm {norm:g}; first target at fault is in "
        f"{shard}, document {document}; look at it, or lower lr ({work.config.lr:g})"
    )


def _log(update: Update, state: State, work: Work, speed: float) -> None:
    _check_finite(update, work)
    loss, nll, norm, share = update.scores_4.tolist()
    row = {
        "step": update.step,
        "tokens": state.tokens,
        "loss": loss,
        "nll": nll,
        "lr": lr_at(update.step - 1, work.config),
        "grad_norm": norm,
        "ess": share,
        "tokens_per_second": speed,
    }
    append_row(work.out / "metrics.jsonl", row)
    work.report(row)


def _evaluate(state: State, work: Work) -> None:
    # The uncompiled model: the last batch has another shape and would compile again.
    row = {"step": state.step, **work.evaluator.evaluate(state.model)}
    if not math.isfinite(row["validation_nll"]):
        raise Diverged(
            f"step {state.step}: validation loss {row['validation_nll']}; the update before it "
            f"was on finite losses, so lower lr ({work.config.lr:g})"
        )
    append_row(work.out / "evaluations.jsonl", row)
    work.report(row)


def _save(state: State, work: Work) -> None:
    record = {
        "step": state.step,
        "tokens": state.tokens,
        "config": flatten(work.config),
        "data": work.corpus.fingerprint,
    }
    folder = work.out / "checkpoints"
    checkpoint.save(folder, record, state.model, state.optimizer, work.config.keep)


def _write_result(state: State, work: Work) -> dict[str, Any]:
    rows = read_rows(work.out / "metrics.jsonl")
    final = read_rows(work.out / "evaluations.jsonl")[-1]
    share, _ = work.corpus.weight_spread
    result = {
        "config": flatten(work.config),
        "data": work.corpus.fingerprint,
        "step": state.step,
        "tokens": state.tokens,
        "parameters": sum(parameter.numel() for parameter in state.model.parameters()),
        "ess": share,
        "tokens_per_second": median(row["tokens_per_second"] for row in rows),
        "final": {name: value for name, value in final.items() if name != "step"},
    }
    write_json(work.out / "result.json", result)
    return result
