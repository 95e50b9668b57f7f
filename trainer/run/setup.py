"""What a run is made of: put together once, before anything is written."""

from dataclasses import dataclass, replace
from pathlib import Path

from trainer.config.schema import ResolvedConfig, TrainConfig
from trainer.data.corpus import Corpus, DataFingerprint, open_corpus
from trainer.data.doubts import list_doubts
from trainer.machine import resources
from trainer.machine.process_group import Ranks
from trainer.models import resolve_vocab
from trainer.objectives.losses import check_objective
from trainer.run.identity import RunIdentity, identify
from trainer.run.initial import check_init, pin_init
from trainer.run.metrics import EVALUATIONS, METRICS
from trainer.run.result import DIVERGED, RESULT
from trainer.run.stored import adopt
from trainer.scoring.reference import find_reference_sha256, pin_reference
from weighting.errors import AssayError
from weighting.storage.folder_kinds import TRAINING, name_kind
from weighting.storage.lock import list_content

# What a run's folder may hold before its first checkpoint, beside what was said while it ran.
OWN = {"checkpoints", "tensorboard", "config.json", METRICS, EVALUATIONS, DIVERGED, RESULT}
SAID = (".log", ".txt", ".out", ".err")


@dataclass(frozen=True)
class Setup:
    """A run that can begin: its config fits this machine, its data and itself."""

    config: ResolvedConfig
    ranks: Ranks
    out: Path
    corpus: Corpus
    identity: RunIdentity
    warnings: tuple[str, ...] = ()  # that a user should read, and that stop nothing


def set_up(config: TrainConfig, out: Path, ranks: Ranks) -> Setup:
    """Return a run's set-up.

    Raises:
        AssayError: unusable shards, a config that fits neither them nor the machine, or `out` is
            something other than a run's folder.
    """
    check_out(out)
    resolved = resources.resolve(adopt(config, out), ranks)
    resolved = pin_reference(pin_init(resolved, out))
    check_objective(resolved)
    corpus = open_corpus(resolved.shards, resolved.half)
    check_corpus(resolved, corpus)
    identity = identify(resolved, describe_data(resolved, corpus), out)
    return Setup(
        config=resolved,
        ranks=ranks,
        out=out,
        corpus=corpus,
        identity=identity,
        warnings=list_warnings(resolved, corpus),
    )


def check_out(out: Path) -> None:
    """Raise AssayError where `out` is neither free nor the folder of a training run."""
    kind = name_kind(out)
    if kind == TRAINING or not out.is_dir():
        return
    if kind:
        raise AssayError(f"{out}: {kind}; give the training run a folder of its own")
    names = [path.name for path in list_content(out)]
    strange = [
        name
        for name in names
        if name not in OWN and not name.startswith(".") and not name.endswith(SAID)
    ]
    if METRICS in names and EVALUATIONS not in names:
        strange.append(METRICS)
    if strange:
        raise AssayError(f"{out}: holds {strange[0]}, and no training run; name a new folder")


def describe_data(config: TrainConfig, corpus: Corpus) -> DataFingerprint:
    """Return the fingerprint of a run's data: of the shards, and of the reference it names."""
    return replace(corpus.fingerprint, reference_sha256=find_reference_sha256(config))


def list_warnings(config: ResolvedConfig, corpus: Corpus) -> tuple[str, ...]:
    """Return what is odd about the data, as far as a config reads it, and about the config here."""
    doubts = list_doubts(corpus, weighted="weights" in config.objectives.chosen.reads)
    windows = -(-corpus.train.tokens // config.model.context)
    if config.batch > windows:
        doubts.append(
            f"a batch of {config.batch:,} windows is more than the {windows:,} of an epoch: each "
            "update sees windows several times; lower batch"
        )
    of_data = (f"{config.shards}: {doubt}" for doubt in doubts)
    return (*of_data, *resources.list_warnings(config))


def check_corpus(config: ResolvedConfig, corpus: Corpus) -> None:
    """Raise AssayError where a config cannot be trained on a corpus.

    The vocabulary is larger than the model's, a window than the split, the parameters to begin
    from are of another model, or a weighted objective would be the plain one in disguise.
    """
    resolve_vocab(config.model, corpus.info.vocab_size)
    if config.model.context > corpus.train.tokens:
        raise AssayError(
            f"{config.shards}: context {config.model.context:,} is longer than the training split "
            f"of {corpus.train.tokens:,} tokens; lower context"
        )
    if config.init:
        check_init(config, corpus.info)
    _, uniform = corpus.weight_spread
    objectives = config.objectives
    if "weights" in objectives.chosen.reads and uniform and not config.allow_uniform_weights:
        raise AssayError(
            f"{config.shards}: all training weights are equal, so objective "
            f"{objectives.objective!r} would be plain; weigh the tokens or use objective 'plain'"
        )
