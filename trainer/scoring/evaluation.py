"""A run evaluated again: its newest checkpoint, on its own validation split or on another.

Whatever it is evaluated on, what it is measured with is the run's own: buckets by frequency in the
split that it was trained on, and the bytes of its tokenizer.
"""

from pathlib import Path
from typing import NamedTuple

from trainer.config.flat import FlatConfig, flatten, override
from trainer.config.schema import TrainConfig
from trainer.data.corpus import Corpus, open_corpus
from trainer.machine import resources
from trainer.machine.process_group import ALONE
from trainer.models.language_model import LanguageModel
from trainer.run import checkpoint
from trainer.run.evaluate import build_evaluator, build_yardstick
from trainer.run.metrics import Evaluation
from trainer.run.places import (
    SHARDS,
    TOKENIZER,
    choose_tokenizer,
    list_beside,
    list_own_tokenizers,
    list_tokenizers,
    open_own_corpus,
)
from trainer.run.train import Warn, ignore
from trainer.scoring.reference import load_checkpoint
from weighting.arrays import Int64s
from weighting.errors import AssayError


class Loaded(NamedTuple):
    """A checkpoint in memory, and where it was."""

    path: Path
    record: checkpoint.Record
    model: LanguageModel
    counts_V: Int64s | None  # of targets in training


def evaluate_run(run: Path, values: FlatConfig, warn: Warn = ignore) -> Evaluation:
    """Evaluate the newest checkpoint of a run, with some fields of its config replaced.

    `warn` is told what an older run does not know.

    Raises:
        AssayError: no checkpoint, shards that are not found, or some of another tokenizer.
    """
    loaded = checkpoint.read_newest(run, _load)
    path, record = loaded.path, loaded.record
    asked = override(TrainConfig(), {**record.config, "ranks": 1, "micro": 0, **values})
    folder, corpus = _open_corpus(path, record, asked, given=bool(values.get(SHARDS)))
    config = resources.resolve(override(asked, {SHARDS: str(folder)}), ALONE)
    counts_V = loaded.counts_V
    if counts_V is None and record.data.same_training(corpus):
        counts_V = corpus.target_counts_V
    if counts_V is None:
        warn(
            f"{path}: of an older version, which did not keep how frequent types are in training: "
            "no loss by frequency on other shards than its own"
        )
    tokenizer = _find_tokenizer(path, record, config, given=bool(values.get(TOKENIZER)))
    yardstick = build_yardstick(counts_V, corpus.info, tokenizer)
    resources.prepare(config)
    evaluator = build_evaluator(corpus, config, ALONE, yardstick)
    return evaluator.evaluate(loaded.model.to(config.device), record.step)


def _load(path: Path) -> Loaded:
    model, record = load_checkpoint(path, "cpu")
    return Loaded(path, record, model, checkpoint.read_target_counts(path, record))


def _open_corpus(
    path: Path, record: checkpoint.Record, config: TrainConfig, *, given: bool
) -> tuple[Path, Corpus]:
    """Return the shards that are asked for, or else the run's own, and their folder."""
    run = checkpoint.find_run(path)
    if not given:
        return open_own_corpus(run, record)
    corpus = open_corpus(config.shards)
    if not record.data.same_ids(corpus.info):
        raise AssayError(f"{config.shards}: of another tokenizer than the run {run}")
    if corpus.info.vocab_size != record.data.vocab_size:
        raise AssayError(
            f"{config.shards}: of {corpus.info.vocab_size} types, and the run {run} was trained "
            f"on {record.data.vocab_size}"
        )
    return Path(config.shards), corpus


def _find_tokenizer(
    path: Path, record: checkpoint.Record, config: TrainConfig, *, given: bool
) -> Path | None:
    if given:
        candidates = list_tokenizers(flatten(config))
    else:
        own = list_own_tokenizers(checkpoint.find_run(path), record)
        candidates = [*list_beside(Path(config.shards)), *own]
    return choose_tokenizer(candidates, record.data.tokenizer_sha256)
