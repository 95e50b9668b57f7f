"""One training run: from shards to checkpoints, metrics and a result.

    OUT/metrics.jsonl       one row every `log_every` steps
    OUT/evaluations.jsonl   one row every `eval_every` steps
    OUT/checkpoints/        see trainer.run.checkpoint
    OUT/tensorboard/        the rows again, where the config asks for it
    OUT/result.json         written last: config, fingerprint of the data, final evaluation

Running again continues from the last checkpoint, and the bytes that it writes are those of a run
that was never interrupted. A finished run is returned as it is.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

from trainer.config.flat import check_same, flatten, override
from trainer.config.schema import TrainConfig
from trainer.data.corpus import Corpus, open_corpus
from trainer.data.loader import Loader
from trainer.data.packing import pack
from trainer.machine import resources
from trainer.machine.failures import explaining
from trainer.machine.interrupt import catching_signals
from trainer.machine.matmul_rate import measure_matmul
from trainer.machine.process_group import ALONE, Ranks, joining, read_ranks
from trainer.models import resolve_vocab
from trainer.objectives.losses import build_loss_function, check_objective
from trainer.objectives.registry import READS_WEIGHTS
from trainer.run import checkpoint
from trainer.run.evaluate import Evaluator, build_evaluator
from trainer.run.loop import Work, run_steps
from trainer.run.metrics import Report, Row, cut_rows, read_rows
from trainer.run.state import State, build_state
from trainer.scoring.reference import identify_reference, load_model_of, load_reference
from weighting.errors import AssayError
from weighting.storage.files import read_json, write_json
from weighting.storage.lock import locking


def train(config: TrainConfig, out: Path, report: Report | None = None) -> dict[str, Any]:
    """Train, resume or return a finished run; `report` gets every metrics and evaluation row.

    Started by torchrun, every process calls this, and the first one writes and reports.

    Raises:
        AssayError: unusable data or config, or `out` holds a run of another config or other data.
        Diverged: the loss or the gradient is not finite.
        Interrupted: a signal ended the run after a checkpoint.
        CannotWrite, OutOfMemory: what the machine refused, and what to do.
    """
    ranks = read_ranks()
    config = resources.resolve(config, ranks)
    check_objective(config)
    corpus = open_corpus(config.shards)
    check_corpus(config, corpus)
    data = describe_data(config, corpus)
    result = find_result(config, data, out)
    if result is not None:
        return result
    evaluator = build_evaluator(corpus, config, ranks)
    resources.prepare(config)
    with (
        explaining(config, out, corpus.info.vocab_size),
        locking(out) if ranks.leads else nullcontext(),
        joining(ranks, config.device),
    ):
        return _train(config, corpus, data, evaluator, out, report or (lambda _: None))


def find_result(config: TrainConfig, data: Mapping[str, Any], out: Path) -> dict[str, Any] | None:
    """Return the result of a finished run in `out`, None where there is none.

    Raises:
        AssayError: it was made with another config or from other data.
    """
    path = out / "result.json"
    if not path.exists():
        return None
    result: dict[str, Any] = read_json(path)
    check_same(path, result["config"], flatten(config))
    check_same(path, result["data"], data)
    return result


def evaluate_run(out: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate the newest checkpoint of a run, with some fields of its config replaced.

    Raises:
        AssayError: no checkpoint, or shards of another tokenizer.
    """
    record = checkpoint.read_record(checkpoint.find_newest(out))
    asked = {"ranks": 1, "micro": 0, **values}
    config = resources.resolve(override(TrainConfig(), {**record["config"], **asked}), ALONE)
    corpus = open_corpus(config.shards)
    if corpus.info.tokenizer_sha256 != record["data"]["tokenizer_sha256"]:
        raise AssayError(f"{config.shards}: of another tokenizer than the run {out}")
    resources.prepare(config)
    model, _ = load_model_of(out, config.device)
    return {"step": record["step"], **build_evaluator(corpus, config).evaluate(model)}


def describe_data(config: TrainConfig, corpus: Corpus) -> dict[str, Any]:
    """Return what makes two runs' data the same: the shards', and the reference's, checksums."""
    return corpus.fingerprint | identify_reference(config)


def check_corpus(config: TrainConfig, corpus: Corpus) -> None:
    """Raise AssayError where a config cannot be trained on a corpus.

    The vocabulary is larger than the model's, or a weighted objective would be the plain one in
    disguise.
    """
    resolve_vocab(config.model, corpus.info.vocab_size)
    _, uniform = corpus.weight_spread
    name = config.objectives.objective
    if name in READS_WEIGHTS and uniform and not config.allow_uniform_weights:
        raise AssayError(
            f"{config.shards}: all training weights are equal, so objective {name!r} would be "
            "plain; weigh the tokens or use objective 'plain'"
        )


def _train(
    config: TrainConfig,
    corpus: Corpus,
    data: dict[str, Any],
    evaluator: Evaluator,
    out: Path,
    report: Report,
) -> dict[str, Any]:
    ranks = evaluator.ranks
    state = build_state(config, corpus.info.vocab_size)
    _resume(state, config, data, out)
    if ranks.leads:
        for name in ("metrics.jsonl", "evaluations.jsonl"):
            cut_rows(out / name, state.step)
    with (
        _reporting_twice(report, config, out, state.step, ranks) as both,
        catching_signals() as caught,
    ):
        work = _build_work(state, config, corpus, data, evaluator, out, both)
        run_steps(state, work, caught)
    return _write_result(state, work) if ranks.leads else {}


def _resume(state: State, config: TrainConfig, data: Mapping[str, Any], out: Path) -> None:
    latest = checkpoint.find_latest(out / "checkpoints")
    if latest is None:
        return
    record = checkpoint.read_record(latest)
    check_same(latest, record["config"], flatten(config))
    check_same(latest, record["data"], data)
    state.load(latest)


def _build_work(
    state: State,
    config: TrainConfig,
    corpus: Corpus,
    data: dict[str, Any],
    evaluator: Evaluator,
    out: Path,
    report: Report,
) -> Work:
    ranks = evaluator.ranks
    packing = pack(corpus.train, config.packing, config.model.context)
    loader = Loader(
        corpus.train,
        packing,
        config.batch,
        config.seed,
        rank=ranks.rank,
        ranks=ranks.count,
        mask_documents=config.model.mask_documents,
        pinned=config.device == "cuda",
    )
    return Work(
        config=config,
        out=out,
        corpus=corpus,
        data=data,
        loader=loader,
        evaluator=evaluator,
        compute=build_loss_function(state.model, load_reference(config, corpus), config, ranks),
        ranks=ranks,
        matmul_rate=measure_matmul(config.device, config.precision) * ranks.count,
        report=report,
    )


@contextmanager
def _reporting_twice(
    report: Report, config: TrainConfig, out: Path, step: int, ranks: Ranks
) -> Iterator[Report]:
    """Add TensorBoard to a report, where it is asked for."""
    if not (config.tensorboard and ranks.leads):
        yield report
        return
    from trainer.display.tensorboard import writing

    with writing(out / "tensorboard", step) as write:

        def both(row: Row) -> None:
            write(row)
            report(row)

        yield both


def _write_result(state: State, work: Work) -> dict[str, Any]:
    rows = read_rows(work.out / "metrics.jsonl")
    final = read_rows(work.out / "evaluations.jsonl")[-1]
    share, _ = work.corpus.weight_spread
    result = {
        "config": flatten(work.config),
        "data": work.data,
        "step": state.step,
        "tokens": state.tokens,
        "parameters": sum(parameter.numel() for parameter in state.model.parameters()),
        "packing": work.loader.packing.summary(work.corpus.train),
        "ess": share,
        "tokens_per_second": median(row["tokens_per_second"] for row in rows),
        "final": {name: value for name, value in final.items() if name != "step"},
    }
    write_json(work.out / "result.json", result)
    return result
