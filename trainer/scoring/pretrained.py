"""Causal language models of others, loaded by Hugging Face's transformers to predict, not to train.

The library is imported here and nowhere else, when such a model is named. Files alone decide what
is loaded: nothing is asked of a network, no code of a model's folder is run, and no pickle is read.
On a GPU the model computes in bfloat16, as on CPUs that multiply it themselves; elsewhere in
float32.

A model is tried before it is used (`_try`): it must be causal, its logits must be numbers, and
where they are one product of its last hidden states, they are formed tile by tile.
"""

import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from trainer.machine import resources
from trainer.scoring.hub import locate
from trainer.scoring.model_files import ModelFiles, inspect
from trainer.scoring.predictions import BATCH_TOKENS, Predictions, Readout, WholeLogits
from weighting.errors import AssayError
from weighting.signals.model_names import ModelKind, ModelName

WHOLE_LOGITS = 2**26  # numbers that logits may be at once where they come whole
TRIED = 8  # tokens of the trial
# Logits of one text differ by rounding between two calls: by at most this share of their spread.
SAME = {torch.float32: 1e-3, torch.bfloat16: 3e-2}
LONGEST = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length")


@dataclass(frozen=True, eq=False)
class PretrainedModel:
    """A model of others in evaluation mode; see `trainer.scoring.measuring.ScoringModel`."""

    name: ModelName
    files: ModelFiles
    tokenizer: str  # its `ModelTokenizer.sha256`
    context: int
    device: str
    batch_tokens: int
    model: Any  # transformers' own class
    linear: bool  # whether logits are one product of the last hidden states

    @property
    def precision(self) -> str:
        """In what it computes."""
        return str(self.head.dtype).removeprefix("torch.")

    @property
    def types(self) -> int:
        """V, of which it predicts one."""
        return len(self.head)

    @property
    def head(self) -> Tensor:
        """The matrix that makes logits of hidden states, V x C."""
        weight: Tensor = self.model.get_output_embeddings().weight
        return weight

    @property
    def parameters(self) -> int:
        """How many numbers were trained; shared ones count once."""
        return sum(one.numel() for one in self.model.parameters())

    @cached_property
    def takes_positions(self) -> bool:
        """Whether it can be told where its inputs stand."""
        return "position_ids" in signature(self.model.forward).parameters

    def read(self, inputs_BxT: Tensor, firsts_B: Tensor, cells_M: Tensor) -> Predictions:
        """Return the predictions at some places of the flat B x T inputs.

        No mask is needed: what fills a row up stands behind all that is scored.
        """
        given: dict[str, Any] = {"input_ids": inputs_BxT, "use_cache": False}
        if self.takes_positions:
            columns_T = torch.arange(inputs_BxT.shape[1], device=inputs_BxT.device)
            given["position_ids"] = firsts_B[:, None] + columns_T
        if self.linear:
            hidden_BxTxC = self.model.base_model(**given)[0]
            return Readout(hidden_BxTxC.flatten(0, 1)[cells_M], self.head)
        return WholeLogits(self.model(**given).logits.flatten(0, 1)[cells_M])


def load_pretrained(
    name: ModelName, tokenizer_sha256: str, device: str, context: int
) -> PretrainedModel:
    """Return a model, on a device that may be "auto"; it sees at most `context` tokens.

    Raises:
        AssayError: transformers is not installed or cannot load it, or it is no causal language
            model.
    """
    files, device = inspect(name), resources.find_device(device)
    model = _load(name, device)
    linear = _try(name, model, device)
    types = model.get_output_embeddings().weight.shape[0]
    most = BATCH_TOKENS[device]
    return PretrainedModel(
        name=name,
        files=files,
        tokenizer=tokenizer_sha256,
        context=min(context, _find_context(model.config)),
        device=device,
        batch_tokens=most if linear else min(most, max(1, WHOLE_LOGITS // types)),
        model=model,
        linear=linear,
    )


def choose_source(name: ModelName) -> dict[str, Any]:
    """Return how transformers is told what to load, and from nowhere else."""
    folder = locate(name).folder
    gguf = {"gguf_file": Path(name.place).name} if name.kind is ModelKind.GGUF else {}
    return {
        "pretrained_model_name_or_path": str(folder),
        "local_files_only": True,
        "trust_remote_code": False,
        **gguf,
    }


def silence() -> None:
    """Keep the library from writing to a terminal that is assay's."""
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Turn whatever the library raises into one line; what it prints and warns of is dropped."""
    try:
        with redirect_stderr(io.StringIO()), warnings.catch_warnings(action="ignore"):
            yield
    except AssayError:
        raise
    except Exception as error:
        reason = str(error).strip().partition("\n")[0][:300] or type(error).__name__
        raise AssayError(f"{what}: {reason}") from None


def _load(name: ModelName, device: str) -> Any:  # noqa: ANN401 - transformers' class
    dtype = torch.bfloat16 if resources.has_native_bfloat16(device) else torch.float32
    with calling(f"{name}: transformers cannot load it"):
        from transformers import AutoModelForCausalLM

        silence()
        load: Any = AutoModelForCausalLM.from_pretrained
        model, told = load(
            **choose_source(name), dtype=dtype, use_safetensors=True, output_loading_info=True
        )
        model = model.to(device).eval().requires_grad_(False)
    lacking = sorted(told["missing_keys"])
    if lacking:
        raise AssayError(
            f"{name}: {len(lacking)} of its tensors are missing, {lacking[0]} the first; it is no "
            "whole language model"
        )
    return model


def _find_context(config: Any) -> int:  # noqa: ANN401 - transformers' own class
    text = config.get_text_config()
    given = (getattr(text, field, None) for field in LONGEST)
    return next((size for size in given if isinstance(size, int) and size > 0), sys.maxsize)


@torch.inference_mode()
def _try(name: ModelName, model: Any, device: str) -> bool:  # noqa: ANN401
    """Try a model on a few ids; return whether one product makes logits of its hidden states.

    Raises:
        AssayError: it fails, its logits are no numbers, or those of a token depend on later ones.
    """
    with calling(f"{name}: fails on a text of {TRIED} tokens"):
        head = model.get_output_embeddings().weight
        ids_2xT = torch.arange(TRIED, device=device).repeat(2, 1) % len(head)
        ids_2xT[1, -1] = len(head) - 1
        logits_2xTxV = model(input_ids=ids_2xT, use_cache=False).logits.float()
        hidden_2xTxC = model.base_model(input_ids=ids_2xT, use_cache=False)[0]
    if not logits_2xTxV.isfinite().all():
        raise AssayError(f"{name}: its logits are no numbers; its parameters are damaged")
    close = SAME[head.dtype] * float(logits_2xTxV.std())
    first, other = logits_2xTxV
    if (first[:-1] - other[:-1]).abs().max() > close:
        raise AssayError(
            f"{name}: what it says of a token depends on later ones; a causal language model is "
            "wanted"
        )
    if hidden_2xTxC.shape[-1] != head.shape[1]:
        return False
    formed_2xTxV = nn.functional.linear(hidden_2xTxC, head).float()
    return bool((formed_2xTxV - logits_2xTxV).abs().max() <= close)
