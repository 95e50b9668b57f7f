"""Models of finished runs, and the frozen one whose loss an objective subtracts."""

from pathlib import Path
from typing import Any

from trainer.config.flat import override
from trainer.config.schema import TrainConfig
from trainer.data.corpus import Corpus
from trainer.models import build_model
from trainer.models.language_model import LanguageModel
from trainer.run import checkpoint
from weighting.errors import AssayError
from weighting.storage.files import sha256


def load_model_of(run: Path, device: str) -> tuple[LanguageModel, dict[str, Any]]:
    """Return the model of a run's newest checkpoint and the checkpoint's record.

    Raises:
        AssayError: there is no checkpoint, or it is damaged.
    """
    return load_checkpoint(checkpoint.find_newest(run), device)


def load_checkpoint(path: Path, device: str) -> tuple[LanguageModel, dict[str, Any]]:
    """Return the model of a checkpoint and its record.

    Raises:
        AssayError: it is damaged.
    """
    record = checkpoint.read_record(path)
    config = override(TrainConfig(), record["config"])
    model = build_model(config.model, record["data"]["vocab_size"], config.seed)
    checkpoint.load_model(path, model)
    return model.to(device), record


def load_reference(config: TrainConfig, corpus: Corpus) -> LanguageModel | None:
    """Return the frozen reference of a config, None where it names none.

    Raises:
        AssayError: no checkpoint, one of another tokenizer, or one that sees a shorter context.
    """
    if not config.objectives.reference:
        return None
    run = Path(config.objectives.reference)
    model, record = load_model_of(run, config.device)
    if record["data"]["tokenizer_sha256"] != corpus.info.tokenizer_sha256:
        raise AssayError(f"{run}: the reference is of another tokenizer than {config.shards}")
    context = record["config"]["context"]
    if context < config.model.context:
        raise AssayError(
            f"{run}: the reference sees {context} tokens, this run {config.model.context}; "
            "lower context, or train another reference"
        )
    return model.eval().requires_grad_(False)


def identify_reference(config: TrainConfig) -> dict[str, Any]:
    """Return the checksum of the reference's parameters, nothing where there is no reference."""
    if not config.objectives.reference:
        return {}
    latest = checkpoint.find_newest(Path(config.objectives.reference))
    return {"reference_sha256": sha256(latest / "model.safetensors")}
