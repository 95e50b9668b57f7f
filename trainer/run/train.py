"""One training run: from shards to checkpoints, metrics and a result.

    OUT/metrics.jsonl       one row every `log_every` steps
    OUT/evaluations.jsonl   one row every `eval_every` steps
    OUT/checkpoints/        see trainer.run.checkpoint
    OUT/tensorboard/        the rows again, where the config asks for it
    OUT/result.json         written last: config, fingerprint of the data, final evaluation

Running again continues from the last checkpoint, and the bytes that it writes are those of a run
that was never interrupted. A finished run is returned as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median

from trainer.config.flat import FlatConfig, override
from trainer.config.schema import TrainConfig
from trainer.data.corpus import open_corpus
from trainer.data.loader import Loader
from trainer.data.packing import pack
from trainer.machine import resources
from trainer.machine.failures import explaining
from trainer.machine.matmul_rate import measure_matmul
from trainer.machine.process_group import ALONE, joining, read_ranks
from trainer.objectives.losses import build_loss_function
from trainer.run import checkpoint
from trainer.run.evaluate import Evaluator, build_evaluator
from trainer.run.identity import check_identity
from trainer.run.loop import Work, run_steps
from trainer.run.metrics import Evaluation, Report, Row, cut_rows, read_evaluations, read_metrics
from trainer.run.result import RESULT, RunResult, find_result
from trainer.run.setup import Setup, set_up
from trainer.run.state import State, build_state
from trainer.scoring.reference import load_model_of, load_reference
from weighting.errors import AssayError
from weighting.processes.interruption import noting_signals
from weighting.storage.json_records import write_record
from weighting.storage.lock import locking


def train(config: TrainConfig, out: Path, report: Report | None = None) -> RunResult | None:
    """Train, resume or return a finished run; `report` gets every metrics and evaluation row.

    Started by torchrun, every process calls this; the first one writes, reports, and returns the
    result, the others return None.

    Raises:
        AssayError: unusable data or config, or `out` holds a run of another config or other data.
        Diverged: the loss or the gradient is not finite.
        Interrupted: a signal ended the run after a checkpoint.
        CannotWrite, OutOfMemory: what the machine refused, and what to do.
    """
    setup = set_up(config, out, read_ranks())
    result = find_result(setup.identity, out)
    if result is not None:
        return result
    evaluator = build_evaluator(setup.corpus, setup.config, setup.ranks)
    resources.prepare(setup.config)
    with (
        explaining(setup.config, out, setup.corpus.info.vocab_size),
        locking(out) if setup.ranks.leads else nullcontext(),
        joining(setup.ranks, setup.config.device),
    ):
        return _train(setup, evaluator, report or (lambda _: None))


def evaluate_run(out: Path, values: FlatConfig) -> Evaluation:
    """Evaluate the newest checkpoint of a run, with some fields of its config replaced.

    Raises:
        AssayError: no checkpoint, or shards of another tokenizer.
    """
    record = checkpoint.read_record(checkpoint.find_newest(out))
    asked = {"ranks": 1, "micro": 0, **values}
    config = resources.resolve(override(TrainConfig(), {**record.config, **asked}), ALONE)
    corpus = open_corpus(config.shards)
    if not record.data.same_ids(corpus.info):
        raise AssayError(f"{config.shards}: of another tokenizer than the run {out}")
    resources.prepare(config)
    model, _ = load_model_of(out, config.device)
    return build_evaluator(corpus, config).evaluate(model, record.step)


def _train(setup: Setup, evaluator: Evaluator, report: Report) -> RunResult | None:
    state = build_state(setup.config, setup.corpus.info.vocab_size)
    _resume(state, setup)
    if setup.ranks.leads:
        cut_rows(setup.out, state.step)
    with (
        _reporting_twice(report, setup, state.step) as both,
        noting_signals() as caught,
    ):
        work = _build_work(state, setup, evaluator, both)
        run_steps(state, work, caught)
    return _write_result(state, work) if setup.ranks.leads else None


def _resume(state: State, setup: Setup) -> None:
    latest = checkpoint.find_latest(setup.out / "checkpoints")
    if latest is None:
        return
    check_identity(latest, checkpoint.read_record(latest), setup.identity)
    state.load(latest)


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
    )
    write_record(setup.out / RESULT, result)
    return result
