"""A trained model that only predicts: its checkpoint, its settings on this machine, its head."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from trainer import machine
from trainer.config import TrainConfig
from trainer.flat import override
from trainer.models.language_model import LanguageModel
from trainer.predictions import Readout
from trainer.ranks import ALONE
from trainer.reference import load_checkpoint
from weighting.errors import AssayError


@dataclass(frozen=True, eq=False)
class Frozen:
    """A trained model, frozen, in the precision that it was trained in."""

    path: Path  # of the checkpoint
    step: int
    config: TrainConfig  # settled
    model: LanguageModel
    head_VxC: Tensor  # in the dtype of the products

    def read(self, inputs_BxT: Tensor, cells_M: Tensor) -> Readout:
        """Return the hidden states at some places of the flat B x T inputs, and the head."""
        with machine.autocast(self.config):
            hidden_BxTxC = self.model.encode(inputs_BxT)
        hidden_MxC = hidden_BxTxC.flatten(0, 1)[cells_M]
        return Readout(hidden_MxC.to(self.head_VxC.dtype), self.head_VxC)


def load_frozen(path: Path, tokenizer_sha256: str, device: str, threads: int) -> Frozen:
    """Return the model of a checkpoint in evaluation mode, on a device that may be "auto".

    Raises:
        AssayError: it is damaged, of another tokenizer, or there is no such device.
    """
    model, record = load_checkpoint(path, "cpu")
    theirs = record["data"]["tokenizer_sha256"]
    if theirs != tokenizer_sha256:
        raise AssayError(
            f"{path}: trained on ids of another tokenizer, SHA-256 {theirs}; the text's is "
            f"{tokenizer_sha256}"
        )
    # A run of several processes is scored by one; its precision is settled, and stays.
    here = {"device": device, "threads": threads, "ranks": 1, "micro": 0}
    config = machine.settle(override(TrainConfig(), {**record["config"], **here}), ALONE)
    model.to(config.device).eval().requires_grad_(False)
    dtype = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
    return Frozen(path, record["step"], config, model, model.head.weight.to(dtype))
