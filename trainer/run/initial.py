"""Parameters that a run begins from: those of a checkpoint of another run, or random ones.

Only the parameters are taken over: the optimizer, the rate and the order of the windows begin anew.
"""

from dataclasses import replace
from pathlib import Path

from trainer.config.flat import override
from trainer.config.schema import ModelConfig, ResolvedConfig, TrainConfig
from trainer.models import resolve_vocab
from trainer.models.language_model import LanguageModel
from trainer.run import checkpoint
from trainer.run.identity import Begun
from trainer.run.stored import find_stored
from weighting.contracts.shards import ShardInfo
from weighting.errors import AssayError
from weighting.storage.files import sha256

# What has to agree, of which architectures; the context and the masking may change.
SHAPE = {
    "architecture": ("gpt", "lstm", "mamba2"),
    "layers": ("gpt", "lstm", "mamba2"),
    "width": ("gpt", "lstm", "mamba2"),
    "heads": ("gpt", "mamba2"),
    "positions": ("gpt",),
    "state": ("mamba2",),
}


def pin_init(config: ResolvedConfig, out: Path) -> ResolvedConfig:
    """Return the config with the checkpoint that its `init` means now.

    One that is gone since the run in `out` began from it is what it was: its parameters are in the
    run's own checkpoints.

    Raises:
        AssayError: there is no such checkpoint.
    """
    if not config.init:
        return config
    begun = _find_begun(config.init, out)
    init = begun.config["init"] if begun else checkpoint.find_newest(Path(config.init))
    return replace(config, init=str(init))


def find_init_sha256(config: ResolvedConfig, out: Path | None) -> str | None:
    """Return the checksum of the parameters that a config names.

    Raises:
        AssayError: they are not there, and never were for the run in `out`.
    """
    begun = _find_begun(config.init, out) if out else None
    if begun is not None:
        return begun.init_sha256
    return sha256(checkpoint.find_newest(Path(config.init)) / "model.safetensors")


def check_init(config: ResolvedConfig, info: ShardInfo) -> None:
    """Raise AssayError where a config's `init` is of another tokenizer, or of another shape."""
    if not Path(config.init).exists():
        return
    path = checkpoint.find_newest(Path(config.init))
    record = checkpoint.read_record(path)
    if not record.data.same_ids(info):
        raise AssayError(f"{path}: its parameters are of another tokenizer than {config.shards}")
    theirs, ours = override(TrainConfig(), record.config).model, config.model
    unlike = [name for name in SHAPE if _differs(name, theirs, ours)]
    if resolve_vocab(theirs, record.data.vocab_size) != resolve_vocab(ours, info.vocab_size):
        unlike.append("vocab")
        theirs = replace(theirs, vocab=resolve_vocab(theirs, record.data.vocab_size))
    if unlike:
        flags = " ".join(f"--{name} {getattr(theirs, name)}" for name in unlike)
        raise AssayError(f"{path}: its model has another shape; give {flags}, or another init")


def load_init(config: ResolvedConfig, model: LanguageModel) -> None:
    """Fill the parameters of a model with those that its config names.

    Raises:
        AssayError: the file is damaged.
    """
    checkpoint.load_model(checkpoint.find_newest(Path(config.init)), model)


def _differs(name: str, theirs: ModelConfig, ours: ModelConfig) -> bool:
    there = ours.architecture in SHAPE[name]
    return there and bool(getattr(theirs, name) != getattr(ours, name))


def _find_begun(init: str, out: Path) -> Begun | None:
    """Return the run in `out`, if it began from `init` and that is gone since."""
    stored = None if Path(init).exists() else find_stored(out)
    if stored is None:
        return None
    began = Path(str(stored.config.get("init", "")))
    return stored if Path(init) in (began, checkpoint.find_run(began)) else None
