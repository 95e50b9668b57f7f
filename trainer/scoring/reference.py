"""Models of finished runs that only predict: an objective's reference, and those that score."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from trainer.config.flat import override
from trainer.config.schema import ResolvedConfig, TrainConfig
from trainer.data.corpus import Corpus
from trainer.machine import resources
from trainer.machine.process_group import ALONE
from trainer.models import build_model
from trainer.models.language_model import LanguageModel
from trainer.run import checkpoint
from trainer.scoring.predictions import BATCH_TOKENS, Readout
from weighting.errors import AssayError
from weighting.storage.files import sha256


def load_model_of(run: Path, device: str) -> tuple[LanguageModel, checkpoint.Record]:
    """Return the model of a run's newest checkpoint and the checkpoint's record.

    Raises:
        AssayError: there is no checkpoint, or it is damaged.
    """
    return load_checkpoint(checkpoint.find_newest(run), device)


def load_checkpoint(path: Path, device: str) -> tuple[LanguageModel, checkpoint.Record]:
    """Return the model of a checkpoint and its record.

    Raises:
        AssayError: it is damaged.
    """
    record = checkpoint.read_record(path)
    config = override(TrainConfig(), record.config)
    model = build_model(config.model, record.data.vocab_size, config.seed)
    checkpoint.load_model(path, model)
    return model.to(device), record


def load_reference(config: ResolvedConfig, corpus: Corpus) -> LanguageModel | None:
    """Return the frozen reference of a config, None where it names none.

    Raises:
        AssayError: no checkpoint, one of another tokenizer, or one that sees a shorter context.
    """
    if not config.objectives.reference:
        return None
    run = Path(config.objectives.reference)
    model, record = load_model_of(run, config.device)
    if not record.data.same_ids(corpus.info):
        raise AssayError(f"{run}: the reference is of another tokenizer than {config.shards}")
    context = override(TrainConfig(), record.config).model.context
    if context < config.model.context:
        raise AssayError(
            f"{run}: the reference sees {context} tokens, this run {config.model.context}; "
            "lower context, or train another reference"
        )
    return model.eval().requires_grad_(False)


def pin_reference(config: ResolvedConfig) -> ResolvedConfig:
    """Return the config with the checkpoint that its reference is now: that run may train on.

    Raises:
        AssayError: the run has no checkpoint.
    """
    if not config.objectives.reference:
        return config
    newest = checkpoint.find_newest(Path(config.objectives.reference))
    return replace(config, objectives=replace(config.objectives, reference=str(newest)))


def find_reference_sha256(config: TrainConfig) -> str | None:
    """Return the checksum of the reference's parameters, None where a config names none."""
    if not config.objectives.reference:
        return None
    latest = checkpoint.find_newest(Path(config.objectives.reference))
    return sha256(latest / "model.safetensors")


@dataclass(frozen=True, eq=False)
class OwnModel:
    """A model of a training run that only predicts, in the precision that it was trained in.

    See `trainer.scoring.measuring.ScoringModel`.
    """

    path: Path  # of the checkpoint
    step: int
    eos_id: int  # ended the documents that it was trained on
    config: ResolvedConfig
    model: LanguageModel
    head_VxC: Tensor  # in the dtype of the products
    tokenizer: None = None  # it reads the run's ids

    @property
    def context(self) -> int:
        """Tokens that it sees at most."""
        return self.config.model.context

    @property
    def device(self) -> str:
        """Where it computes."""
        return self.config.device

    @property
    def types(self) -> int:
        """V, of which it predicts one."""
        return len(self.head_VxC)

    @property
    def batch_tokens(self) -> int:
        """Tokens that it reads at once, padding included."""
        return BATCH_TOKENS[self.device]

    def read(self, inputs_BxT: Tensor, firsts_B: Tensor, cells_M: Tensor) -> Readout:  # noqa: ARG002
        """Return the hidden states at some places of the flat B x T inputs, and the head.

        Positions are not looked at: all our models know distances only.
        """
        with resources.autocast(self.config):
            hidden_BxTxC = self.model.encode(inputs_BxT)
        hidden_MxC = hidden_BxTxC.flatten(0, 1)[cells_M]
        return Readout(hidden_MxC.to(self.head_VxC.dtype), self.head_VxC)


def load_own(path: Path, tokenizer_sha256: str, device: str, threads: int) -> OwnModel:
    """Return the model of a checkpoint in evaluation mode, on a device that may be "auto".

    Raises:
        AssayError: it is damaged, of another tokenizer, or there is no such device.
    """
    model, record = load_checkpoint(path, "cpu")
    theirs = record.data.tokenizer_sha256
    if theirs != tokenizer_sha256:
        raise AssayError(
            f"{path}: trained on ids of another tokenizer, SHA-256 {theirs}; the text's is "
            f"{tokenizer_sha256}"
        )
    # A run of several processes is scored by one; its precision is resolved, and stays.
    here = {"device": device, "threads": threads, "ranks": 1, "micro": 0}
    config = resources.resolve(override(TrainConfig(), {**record.config, **here}), ALONE)
    model.to(config.device).eval().requires_grad_(False)
    dtype = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
    eos_id = record.data.eos_id
    return OwnModel(path, record.step, eos_id, config, model, model.head.weight.to(dtype))
