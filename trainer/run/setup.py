"""What a run is made of: put together once, before anything is written."""

from dataclasses import dataclass, replace
from pathlib import Path

from trainer.config.schema import ResolvedConfig, TrainConfig
from trainer.data.corpus import Corpus, DataFingerprint, open_corpus
from trainer.machine import resources
from trainer.machine.process_group import Ranks
from trainer.models import resolve_vocab
from trainer.objectives.losses import check_objective
from trainer.run.identity import RunIdentity, identify
from trainer.scoring.reference import find_reference_sha256
from weighting.errors import AssayError


@dataclass(frozen=True)
class Setup:
    """A run that can begin: its config fits this machine, its data and itself."""

    config: ResolvedConfig
    ranks: Ranks
    out: Path
    corpus: Corpus
    identity: RunIdentity


def set_up(config: TrainConfig, out: Path, ranks: Ranks) -> Setup:
    """Return a run's set-up.

    Raises:
        AssayError: unusable shards, or a config that fits neither them nor the machine.
    """
    resolved = resources.resolve(config, ranks)
    check_objective(resolved)
    corpus = open_corpus(resolved.shards)
    check_corpus(resolved, corpus)
    identity = identify(resolved, describe_data(resolved, corpus))
    return Setup(config=resolved, ranks=ranks, out=out, corpus=corpus, identity=identity)


def describe_data(config: TrainConfig, corpus: Corpus) -> DataFingerprint:
    """Return the fingerprint of a run's data: of the shards, and of the reference it names."""
    return replace(corpus.fingerprint, reference_sha256=find_reference_sha256(config))


def check_corpus(config: TrainConfig, corpus: Corpus) -> None:
    """Raise AssayError where a config cannot be trained on a corpus.

    The vocabulary is larger than the model's, or a weighted objective would be the plain one in
    disguise.
    """
    resolve_vocab(config.model, corpus.info.vocab_size)
    _, uniform = corpus.weight_spread
    objectives = config.objectives
    if "weights" in objectives.chosen.reads and uniform and not config.allow_uniform_weights:
        raise AssayError(
            f"{config.shards}: all training weights are equal, so objective "
            f"{objectives.objective!r} would be plain; weigh the tokens or use objective 'plain'"
        )
