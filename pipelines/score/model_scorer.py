"""The one door to the trainer: models that score tokens, one set of them a process."""

from functools import lru_cache
from pathlib import Path

from trainer.scoring.scorer import Scorer, ScorerSettings, UsedModels
from weighting.signals.model_settings import ModelSettings


def load_scorer(settings: ModelSettings, tokenizer_sha256: str) -> Scorer:
    """Return the models; they are loaded once a process, and again if a run was trained again.

    Raises:
        AssayError: no such training run, too few checkpoints, or models of another tokenizer.
    """
    return _load(settings, tokenizer_sha256, _stamp(settings))


@lru_cache(maxsize=1)
def _load(settings: ModelSettings, tokenizer_sha256: str, stamp: tuple[int, ...]) -> Scorer:  # noqa: ARG001
    return Scorer(ScorerSettings(settings), tokenizer_sha256)


def _stamp(settings: ModelSettings) -> tuple[int, ...]:
    """Return when the checkpoints of all runs were written."""
    runs = [Path(run) for run in (settings.reference, settings.second) if run is not None]
    paths = [path for run in runs for path in sorted((run / "checkpoints").glob("*/*"))]
    return tuple(path.stat().st_mtime_ns for path in paths)


def describe_models(settings: ModelSettings, tokenizer_sha256: str, eos_id: int) -> UsedModels:
    """Return what the manifest says of the models: folders, steps, checksums, sizes.

    Raises:
        AssayError: as `load_scorer`, or they were trained on documents that end otherwise.
    """
    scorer = load_scorer(settings, tokenizer_sha256)
    scorer.check_end(eos_id)
    return scorer.describe()
