"""One training run: from shards to checkpoints, metrics and a result.

    OUT/metrics.jsonl       one row every `log_every` steps
    OUT/evaluations.jsonl   one row every `eval_every` steps
    OUT/checkpoints/        see trainer.run.checkpoint
    OUT/tensorboard/        the rows again, where the config asks for it
    OUT/result.json         written last: config, fingerprint of the data, final evaluation
    OUT/diverged.json       instead of it, where a loss was not finite

Running again continues from the last checkpoint, and the bytes that it writes are those of a run
that was never interrupted. A finished run is returned as it is, and goes on where more steps are
asked for and its schedule allows them. One that diverged would diverge again, and says so at once.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from zlib import crc32

from trainer.config.schema import TrainConfig
from trainer.data.loader import Loader
from trainer.data.packing import pack
from trainer.machine import resources
from trainer.machine.failures import explaining
from trainer.machine.matmul_rate import measure_matmul
from trainer.machine.process_group import joining, read_ranks
from trainer.objectives.losses import build_loss_function
from trainer.run import checkpoint
from trainer.run.evaluate import Evaluator, build_evaluator
from trainer.run.identity import check_identity
from trainer.run.initial import load_init
from trainer.run.loop import Diverged, Work, run_steps
from trainer.run.metrics import Report, Row, cut_rows, read_evaluations, read_metrics
from trainer.run.result import (
    DIVERGED,
    RESULT,
    Divergence,
    RunResult,
    find_divergence,
    find_result,
)
from trainer.run.setup import Setup, set_up
from trainer.run.state import State, build_state
from trainer.scoring.reference import load_reference
from weighting.output import OutputClosed
from weighting.processes.interruption import Caught, noting_signals
from weighting.storage.json_records import write_record
from weighting.storage.lock import locking

Warn = Callable[[str], None]


def ignore(_: object) -> None:
    """Take a row or a warning, and do nothing."""


def train(
    config: TrainConfig, out: Path, report: Report = ignore, warn: Warn = ignore
) -> RunResult | None:
    """Train, resume or return a finished run.

    `report` gets every metrics and evaluation row, `warn` what a user should know of the data.
    Started by torchrun, every process calls this; the first one writes, reports, and returns the
    result, the others return None.

    Raises:
        AssayError: unusable data or config, or `out` holds a run of another config or other data.
        Diverged: the loss or the gradient is not finite.
        Interrupted: a signal ended the run after a checkpoint.
        CannotWrite, OutOfMemory: what the machine refused, and what to do.
    """
    setup = set_up(config, out, read_ranks())
    for line in setup.warnings if setup.ranks.leads else ():
        warn(line)
    result = find_result(setup.identity, out)
    if result is not None:
        return result
    _check_divergence(setup)
    evaluator = build_evaluator(setup.corpus, setup.config, setup.ranks)
    resources.prepare(setup.config)
    with (
        explaining(setup.config, out, setup.corpus.info.vocab_size),
        locking(out) if setup.ranks.leads else nullcontext(),
        joining(setup.ranks, setup.config.device),
    ):
        return _train(setup, evaluator, report)


def _check_divergence(setup: Setup) -> None:
    """Raise Diverged where this run is known to: nothing would come out otherwise."""
    found = find_divergence(setup.identity, setup.out)
    if found is not None:
        again = f"{found.message}; it would again: to try all the same, remove {DIVERGED}"
        raise Diverged(setup.out, found.step, again)


def _train(setup: Setup, evaluator: Evaluator, report: Report) -> RunResult | None:
    state = build_state(setup.config, setup.corpus.info.vocab_size)
    _begin(state, setup)
    if setup.ranks.leads:
        _clear(setup, state.step)
    with (
        _reporting_twice(report, setup, state.step) as both,
        noting_signals() as caught,
    ):
        work = _build_work(state, setup, evaluator, _outlive_output(both, caught))
        try:
            run_steps(state, work, caught)
        except Diverged as error:
            _note_divergence(error, work)
            raise
    return _write_result(state, work) if setup.ranks.leads else None


def _begin(state: State, setup: Setup) -> None:
    """Go back to the newest checkpoint, or begin from the parameters that are asked for."""
    latest = checkpoint.find_latest(setup.out / "checkpoints")
    if latest is not None:
        check_identity(latest, checkpoint.read_record(latest), setup.identity)
        state.load(latest)
    elif setup.config.init:
        load_init(setup.config, state.model)


def _clear(setup: Setup, step: int) -> None:
    """Remove what the folder says of later steps, and checkpoints that need not be kept."""
    for name in (RESULT, DIVERGED):
        (setup.out / name).unlink(missing_ok=True)
    checkpoint.remove_old(setup.out / "checkpoints", setup.config.keep)
    cut_rows(setup.out, step)


def _note_divergence(error: Diverged, work: Work) -> None:
    setup = work.setup
    if setup.ranks.leads:
        record = Divergence(**vars(setup.identity), step=error.step, message=error.message)
        write_record(setup.out / DIVERGED, record)


def _build_work(state: State, setup: Setup, evaluator: Evaluator, report: Report) -> Work:
    config, ranks, stream = setup.config, setup.ranks, setup.corpus.train
    loader = Loader(
        stream,
        pack(stream, config.packing, config.model.context),
        config.batch,
        config.seed,
        rank=ranks.rank,
        ranks=ranks.count,
        mask_documents=config.model.mask_documents,
        pinned=config.device == "cuda",
    )
    reference = load_reference(config, setup.corpus)
    return Work(
        setup=setup,
        loader=loader,
        evaluator=evaluator,
        compute=build_loss_function(state.model, reference, config, ranks),
        matmul_rate=measure_matmul(config.device, config.precision) * ranks.count,
        report=report,
    )


def _outlive_output(report: Report, caught: Caught) -> Report:
    """Take an output that nobody reads any more for a signal: the run saves before it ends."""

    def tell(row: Row) -> None:
        try:
            report(row)
        except OutputClosed:
            caught.number = caught.number or signal.SIGPIPE

    return tell


@contextmanager
def _reporting_twice(report: Report, setup: Setup, step: int) -> Iterator[Report]:
    """Add TensorBoard to a report, where it is asked for."""
    if not (setup.config.tensorboard and setup.ranks.leads):
        yield report
        return
    from trainer.display.tensorboard import writing

    with writing(setup.out / "tensorboard", step) as write:

        def both(row: Row) -> None:
            write(row)
            report(row)

        yield both


def _write_result(state: State, work: Work) -> RunResult:
    setup = work.setup
    share, _ = setup.corpus.weight_spread
    result = RunResult(
        **vars(setup.identity),
        step=state.step,
        tokens=state.tokens,
        parameters=sum(parameter.numel() for parameter in state.model.parameters()),
        packing=work.loader.packing.summary(setup.corpus.train),
        ess=share,
        tokens_per_second=median(row.tokens_per_second for row in read_metrics(setup.out)),
        final=read_evaluations(setup.out)[-1],
        target_counts_crc32=crc32(setup.corpus.target_counts_V.data),
        warnings=setup.warnings,
    )
    write_record(setup.out / RESULT, result)
    return result
