"""A trained model that only predicts: its checkpoint, its settings on this resources, its head."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from trainer.config.flat import override
from trainer.config.schema import TrainConfig
from trainer.machine import resources
from trainer.machine.process_group import ALONE
from trainer.models.language_model import LanguageModel
from trainer.scoring.predictions import Readout
from trainer.scoring.reference import load_checkpoint
from weighting.errors import AssayError


@dataclass(frozen=True, eq=False)
class Frozen:
    """A trained model, frozen, in the precision that it was trained in."""

    path: Path  # of the checkpoint
    step: int
    config: TrainConfig  # resolved
    model: LanguageModel
    head_VxC: Tensor  # in the dtype of the products

    def read(self, inputs_BxT: Tensor, cells_M: Tensor) -> Readout:
        """Return the hidden states at some places of the flat B x T inputs, and the head."""
        with resources.autocast(self.config):
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
    # A run of several processes is scored by one; its precision is resolved, and stays.
    here = {"device": device, "threads": threads, "ranks": 1, "micro": 0}
    config = resources.resolve(override(TrainConfig(), {**record["config"], **here}), ALONE)
    model.to(config.device).eval().requires_grad_(False)
    dtype = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
    return Frozen(path, record["step"], config, model, model.head.weight.to(dtype))
