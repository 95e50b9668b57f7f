"""The one door to the trainer: models that score tokens, one set of them a process."""

from functools import cache
from typing import Any

from pipelines.settings import ModelSettings
from trainer.scoring import Scorer, ScorerSettings


@cache
def load_scorer(settings: ModelSettings, tokenizer_sha256: str) -> Scorer:
    """Load the models once a process.

    Raises:
        AssayError: no such training run, too few checkpoints, or models of another tokenizer.
    """
    wanted = ScorerSettings(
        settings.reference, settings.checkpoints, settings.short, settings.second
    )
    return Scorer(wanted, tokenizer_sha256)


def describe_models(settings: ModelSettings, tokenizer_sha256: str) -> dict[str, Any]:
    """Return what the manifest says of the models: folders, steps, checksums, sizes."""
    return load_scorer(settings, tokenizer_sha256).describe()
