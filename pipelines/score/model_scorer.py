"""The one door to the trainer: models that score tokens, one set of them a process."""

from functools import lru_cache
from pathlib import Path

from pipelines.score.held_out import split_settings
from trainer.scoring.scorer import Scorer, ScorerSettings
from trainer.scoring.used import UsedModels
from weighting.contracts.halves import HALVES, WHOLE
from weighting.errors import AssayError
from weighting.signals.model_settings import ModelSettings


def load_scorers(settings: ModelSettings, tokenizer_sha256: str) -> tuple[Scorer, ...]:
    """Return the models: one scorer, or those of half a and of half b.

    They are loaded once a process, and again if a run was trained again.

    Raises:
        AssayError: no such training run, too few checkpoints, or models of another tokenizer.
    """
    return _load(settings, tokenizer_sha256, _stamp(settings))


@lru_cache(maxsize=1)
def _load(
    settings: ModelSettings,
    tokenizer_sha256: str,
    stamp: tuple[int, ...],  # noqa: ARG001 - by which the cache knows them
) -> tuple[Scorer, ...]:
    parts = split_settings(settings)
    return tuple(Scorer(ScorerSettings(part), tokenizer_sha256) for part in parts)


def _stamp(settings: ModelSettings) -> tuple[int, ...]:
    """Return when the checkpoints of all runs were written."""
    named = (settings.reference, settings.second, settings.other)
    runs = [Path(run) for run in named if run is not None]
    paths = [path for run in runs for path in sorted((run / "checkpoints").glob("*/*"))]
    return tuple(path.stat().st_mtime_ns for path in paths)


def describe_models(
    settings: ModelSettings, tokenizer_sha256: str, eos_id: int
) -> tuple[UsedModels, ...]:
    """Return what the manifest says of each scorer's models: folders, steps, checksums, sizes.

    Raises:
        AssayError: as `load_scorers`, or they were trained on documents that end otherwise, or on
            other ones than those of their half.
    """
    scorers = load_scorers(settings, tokenizer_sha256)
    for scorer in scorers:
        scorer.check_end(eos_id)
    described = tuple(scorer.describe() for scorer in scorers)
    if settings.other is not None:
        _check_halves(described)
    return described


def _check_halves(described: tuple[UsedModels, ...]) -> None:
    """Raise AssayError where a training run is not of its half; of others the user says it."""
    for half, used in zip(HALVES, described, strict=True):
        if used.half not in (half, None):
            seen = "all" if used.half == WHOLE else f"half {used.half}"
            raise AssayError(
                f"{used.model}: trained on {seen} of its documents, and is to be of half {half}; "
                f"train it with --half {half}"
            )
