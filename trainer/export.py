"""Export: a run's newest checkpoint as a folder that Hugging Face's transformers loads.

    OUT/config.json              architecture; under "assay" the run's step, tokens and data
        model.safetensors        parameters, float32
        generation_config.json   ids that begin, end and pad a text
        tokenizer.json           with tokenizer_config.json

Only an exact counterpart will do: the loaded model's logits are ours up to rounding. What the
counterpart has no parameter for is folded into one that it has; in real numbers every folding is
exact. The library itself is not needed here.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save
from tokenizers import Tokenizer
from torch import Tensor

from trainer.config.flat import override
from trainer.config.schema import ModelConfig, TrainConfig
from trainer.models.gpt import MLP_RATIO
from trainer.models.language_model import EPSILON, normalise
from trainer.models.mamba2 import CHUNK, EXPAND, TAPS
from trainer.models.positions import ROPE_BASE
from trainer.run.checkpoint import Record, Tensors, find_run, read_newest
from trainer.run.places import choose_tokenizer, list_own_tokenizers
from trainer.scoring.reference import load_checkpoint
from weighting.errors import AssayError
from weighting.storage.failures import explain
from weighting.storage.files import sync
from weighting.storage.json_records import to_json

Files = dict[str, bytes]
Entries = Mapping[str, object]  # of a JSON file of the library


@dataclass(frozen=True)
class Counterpart:
    """The same function as a model of the library: entries of config.json, and its parameters."""

    config: Entries
    tensors: Tensors


def export(
    run: Path, out: Path, tokenizer: Path | None = None, *, model_only: bool = False
) -> Path:
    """Write the newest checkpoint of the folder `run` to the folder `out`, whole or not at all.

    `tokenizer` is the run's tokenizer.json, found where the run's shards are if it is not named;
    with `model_only` none is written.

    Raises:
        AssayError: no checkpoint, a model without an exact counterpart, no tokenizer or one that
            is not the run's, or `out` is not empty.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise AssayError(f"{out}: not empty; give a new folder")
    path, (model, record) = read_newest(run, lambda path: (path, load_checkpoint(path, "cpu")))
    config = override(TrainConfig(), record.config)
    counterpart = COUNTERPARTS[config.model.architecture](config.model, model.state_dict())
    eos_id = record.data.eos_id
    origin = {"step": record.step, "tokens": record.tokens, "data": to_json(record.data)}
    ends = {"bos_token_id": eos_id, "eos_token_id": eos_id}
    files = {
        # Padding has no id here: the library would never train the embedding of that id.
        "config.json": {**counterpart.config, **ends, "pad_token_id": None, "assay": origin},
        "generation_config.json": {**ends, "pad_token_id": eos_id},
    }
    _write_folder(
        out,
        {name: json.dumps(value, indent=1).encode() for name, value in files.items()}
        | {"model.safetensors": save(dict(counterpart.tensors), {"format": "pt"})}
        | ({} if model_only else _read_tokenizer(path, record, tokenizer, config.model.context)),
    )
    return out


def to_nanochat(config: ModelConfig, tensors: Tensors) -> Counterpart:
    """Map gpt to NanoChatForCausalLM, whose norms have no gains.

    Raises:
        AssayError: the positions are ALiBi.
    """
    if config.positions != "rope":
        raise AssayError(
            f"gpt with {config.positions} has no exact counterpart in transformers: its models "
            "with ALiBi know no RMSNorm and no QK-norm; gpt with rope has one"
        )
    head_VxC = tensors["head.weight"] * tensors["norm.weight"]
    named = {"model.embed_tokens.weight": tensors["embedding.weight"], "lm_head.weight": head_VxC}
    for layer in range(config.layers):
        named |= _to_nanochat_layer(config, tensors, f"blocks.{layer}", f"model.layers.{layer}")
    return Counterpart(_describe_nanochat(config, len(head_VxC)), _own(named))


def _to_nanochat_layer(
    config: ModelConfig, tensors: Tensors, ours: str, theirs: str
) -> dict[str, Tensor]:
    # A gain scales what the next matrix reads, so it goes into that matrix's columns.
    qkv = tensors[f"{ours}.attention.qkv.weight"] * tensors[f"{ours}.attention_norm.weight"]
    mlp = tensors[f"{ours}.mlp_input.weight"] * tensors[f"{ours}.mlp_norm.weight"]
    q, k, v = qkv.chunk(3)
    return {
        f"{theirs}.self_attn.q_proj.weight": _swap_halves(q, config.heads),
        f"{theirs}.self_attn.k_proj.weight": _swap_halves(k, config.heads),
        f"{theirs}.self_attn.v_proj.weight": v,
        f"{theirs}.self_attn.o_proj.weight": tensors[f"{ours}.attention.output.weight"],
        f"{theirs}.mlp.fc1.weight": mlp,
        f"{theirs}.mlp.fc2.weight": tensors[f"{ours}.mlp_output.weight"],
    }


def _swap_halves(rows_CxC: Tensor, heads: int) -> Tensor:
    """Swap the halves of every head: NanoChat turns the pair (i, i + D/2) the other way round."""
    width = rows_CxC.shape[1]
    return rows_CxC.view(heads, 2, -1, width).flip(1).reshape(-1, width)


def _describe_nanochat(config: ModelConfig, vocab: int) -> Entries:
    return {
        "architectures": ["NanoChatForCausalLM"],
        "model_type": "nanochat",
        "vocab_size": vocab,
        "hidden_size": config.width,
        "intermediate_size": MLP_RATIO * config.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.heads,
        "max_position_embeddings": config.context,
        "hidden_act": "relu2",
        "rms_norm_eps": EPSILON,
        "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_BASE},
        "final_logit_softcapping": None,
        "attention_bias": False,
        "tie_word_embeddings": False,
        "dtype": "float32",
    }


def to_mamba2(config: ModelConfig, tensors: Tensors) -> Counterpart:
    """Map mamba2 to Mamba2ForCausalLM, which reads embeddings as they are."""
    moved = {"blocks": "backbone.layers", "norm": "backbone.norm_f", "head": "lm_head"}
    named = {"backbone.embeddings.weight": normalise(tensors["embedding.weight"])}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        if part in moved:
            named[f"{moved[part]}.{rest}"] = tensor
    return Counterpart(_describe_mamba2(config, len(tensors["head.weight"])), _own(named))


def _describe_mamba2(config: ModelConfig, vocab: int) -> Entries:
    return {
        "architectures": ["Mamba2ForCausalLM"],
        "model_type": "mamba2",
        "vocab_size": vocab,
        "hidden_size": config.width,
        "num_hidden_layers": config.layers,
        "expand": EXPAND,
        "num_heads": config.heads,
        "head_dim": EXPAND * config.width // config.heads,
        "n_groups": 1,
        "state_size": config.state,
        "conv_kernel": TAPS,
        "chunk_size": CHUNK,
        "hidden_act": "silu",
        "layer_norm_epsilon": EPSILON,
        "use_bias": False,
        "use_conv_bias": True,
        "tie_word_embeddings": False,
        "dtype": "float32",
    }


def refuse_lstm(config: ModelConfig, tensors: Tensors) -> Counterpart:  # noqa: ARG001
    """Raise AssayError: the library has no LSTM."""
    raise AssayError("lstm has no exact counterpart: transformers has no LSTM language model")


COUNTERPARTS: dict[str, Callable[[ModelConfig, Tensors], Counterpart]] = {
    "gpt": to_nanochat,
    "lstm": refuse_lstm,
    "mamba2": to_mamba2,
}


def _own(tensors: Tensors) -> Tensors:
    """Give each tensor memory of its own, as the file format asks."""
    return {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}


def _read_tokenizer(checkpoint: Path, record: Record, named: Path | None, context: int) -> Files:
    own = list_own_tokenizers(find_run(checkpoint), record)
    candidates = [named] if named else own
    path = choose_tokenizer(candidates, record.data.tokenizer_sha256)
    if path is None:
        tried = ", ".join(map(str, candidates[:2])) or "the run names no shards"
        raise AssayError(
            f"{find_run(checkpoint)}: its tokenizer is not found ({tried}); name it with "
            "--tokenizer, or leave it out with --model-only"
        )
    content = path.read_bytes()
    end = Tokenizer.from_buffer(content).id_to_token(record.data.eos_id)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": end,
        "eos_token": end,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
    }
    return {"tokenizer.json": content, "tokenizer_config.json": json.dumps(settings).encode()}


def _write_folder(out: Path, files: Files) -> None:
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        for path in (*temporary.iterdir(), temporary):
            sync(path)
        temporary.replace(out)
        sync(out.parent)
    except OSError as error:
        raise explain(error, out) or error from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
