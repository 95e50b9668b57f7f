"""The one door to the trainer: models that score tokens, one set of them a process."""

from functools import lru_cache

from pipelines.score.held_out import split_settings
from pipelines.tokenize.tokenizer_file import settle_model
from trainer.scoring.model_files import list_parts
from trainer.scoring.scorer import Scorer, ScorerSettings
from trainer.scoring.used import UsedModels
from weighting.contracts.splits import HALVES, WHOLE
from weighting.errors import AssayError
from weighting.signals.model_names import parse_model
from weighting.signals.model_settings import ModelSettings


def load_scorers(settings: ModelSettings, tokenizer_sha256: str) -> tuple[Scorer, ...]:
    """Return the models: one scorer, or those of half a and of half b.

    They are loaded once a process, and again if a file of theirs was written again. The run's
    tokenizer matters to training runs only.

    Raises:
        AssayError: no such training run, too few checkpoints, or models of another tokenizer.
    """
    named = (settings.reference, *settings.earlier, settings.second, settings.other)
    names = [parse_model(name) for name in named if name is not None]
    runs = any(not name.pretrained for name in names)
    stamp = tuple(path.stat().st_mtime_ns for name in names for _, path in list_parts(name))
    return _load(settings, tokenizer_sha256 if runs else "", stamp)


def release_models() -> None:
    """Forget the models of this process: their memory is free once nobody else holds them."""
    _load.cache_clear()


@lru_cache(maxsize=1)
def _load(
    settings: ModelSettings,
    tokenizer_sha256: str,
    stamp: tuple[int, ...],  # noqa: ARG001 - by which the cache knows their files
) -> tuple[Scorer, ...]:
    parts = split_settings(settings)
    return tuple(Scorer(ScorerSettings(part), tokenizer_sha256) for part in parts)


def describe_models(
    settings: ModelSettings, tokenizer_sha256: str, eos_id: int
) -> tuple[UsedModels, ...]:
    """Return what the manifest says of each scorer's models: folders, steps, checksums, sizes.

    Raises:
        AssayError: as `load_scorers` or `settle_model`, or they were trained on documents that end
            otherwise, or on other ones than those of their half.
    """
    scorers = load_scorers(settings, tokenizer_sha256)
    for scorer in scorers:
        scorer.check_end(eos_id)
    described = tuple(scorer.describe() for scorer in scorers)
    for scorer, used in zip(scorers, described, strict=True):
        _check_tokenizers(scorer, used)
    if settings.other is not None:
        _check_halves(described)
    return described


def _check_tokenizers(scorer: Scorer, described: UsedModels) -> None:
    """Raise AssayError where losses of a model of others cannot be carried to the run's tokens."""
    models = (described, *described.earlier, described.second)
    names = {used.tokenizer: used.model for used in models if used is not None}
    for key, tokenizer in scorer.tokenizers.items():
        settle_model(names[key], tokenizer.text)


def _check_halves(described: tuple[UsedModels, ...]) -> None:
    """Raise AssayError where a training run is not of its half; of others the user says it."""
    for half, used in zip(HALVES, described, strict=True):
        if used.half not in (half, None):
            seen = "all" if used.half == WHOLE else f"half {used.half}"
            raise AssayError(
                f"{used.model}: trained on {seen} of its documents, and is to be of half {half}; "
                f"train it with --half {half}"
            )
