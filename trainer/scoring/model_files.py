"""The files that a model is made of: which they are, and whether it can be a reference at all.

All is read from names and headers: nothing is loaded, so a run that could not use a model ends
before its parameters are read, or fetched. What only loading shows, `trainer.scoring.pretrained`
refuses.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from trainer.run import checkpoint
from trainer.scoring.hub import (
    CONFIG,
    INDEX,
    SETTINGS,
    TOKENIZERS,
    WEIGHTS,
    check_installed,
    list_shards,
    locate,
    read_object,
)
from weighting.errors import AssayError
from weighting.signals.model_names import ADAPTER, ModelKind, ModelName

LENGTH = 8  # bytes that say how long the header of a safetensors file is
LONGEST_HEADER = 100_000_000  # of safetensors, by its format
POINTER = b"version https://git-lfs"  # what git leaves where it did not fetch a file
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True)
class ModelFiles:
    """A pretrained model as it lies there: its files, its parameters, at which commit of the hub.

    Parameters are counted as stored; those that are tied count once. `types` are what safetensors
    call the types of their numbers, such as BF16; none of a GGUF file.
    """

    files: tuple[Path, ...]
    parameters: int
    commit: str | None = None
    types: frozenset[str] = frozenset()


def list_parts(name: ModelName) -> Iterator[tuple[str, Path]]:
    """Yield the files that decide what a model predicts, with what tells those of one name apart.

    Raises:
        AssayError: a pretrained model cannot be used.
    """
    if name.pretrained:
        yield from (("", path) for path in inspect(name).files)
        return
    place = Path(name.place)
    kept = checkpoint.list_kept(place / "checkpoints") or [place]
    yield from ((f".{one.name}", one / "model.safetensors") for one in kept)


def inspect(name: ModelName) -> ModelFiles:
    """Return what a pretrained model is made of; of the hub, it is fetched if need be.

    Raises:
        AssayError: it is no causal language model that transformers knows and loads by itself, it
            has no tokenizer, or a file is missing, damaged or of a kind that can hold code.
    """
    check_installed(name)
    if name.kind is ModelKind.GGUF:
        path = Path(name.place)
        return ModelFiles((path,), _count_in_gguf(path))
    check_config(name, locate(name, parameters=False).folder)
    located = locate(name)
    files = tuple(_list_files(name, located.folder))
    stored = [path for path in files if path.suffix == ".safetensors"]
    tensors = [tensor for path in stored for tensor in _read_header(path)]
    parameters = sum(math.prod(shape) for shape, _ in tensors)
    return ModelFiles(files, parameters, located.commit, frozenset(kind for _, kind in tensors))


def check_config(name: ModelName, folder: Path) -> None:
    """Check what a folder's config.json says, and that there is a tokenizer.

    Raises:
        AssayError: no tokenizer; no causal language model; quantised for a package of its own; or
            its code is its own, which is never run.
    """
    config = read_object(folder / CONFIG)
    if not any((folder / file).is_file() for file in TOKENIZERS):
        raise AssayError(f"{name}: a model without a tokenizer (no {TOKENIZERS[0]}); save it there")
    if quantised := config.get("quantization_config"):
        method = (
            quantised.get("quant_method", "some package") if isinstance(quantised, dict) else ""
        )
        raise AssayError(
            f"{name}: quantised by {method}, which is not supported; name the model as it was "
            "before, or a GGUF file of it"
        )
    _check_architecture(name, config)


def _check_architecture(name: ModelName, config: dict[str, Any]) -> None:
    known, types = _list_causal()
    kind, named = config.get("model_type"), config.get("architectures") or []
    if any(one in known for one in named) or (not named and kind in types):
        return
    if "auto_map" in config and kind not in _list_types():
        raise AssayError(
            f"{name}: its code comes with it (auto_map), and foreign code is never run; name a "
            "model whose architecture transformers has"
        )
    if kind is None:
        raise AssayError(f"{name}: {CONFIG} names no model_type, so it is no model of transformers")
    if kind not in _list_types():
        raise AssayError(
            f"{name}: architecture {kind!r} is not in transformers {version('transformers')}; "
            "take a newer version, or another model"
        )
    shown = ", ".join(named) or kind
    more = ", it reads with an encoder" if config.get("is_encoder_decoder") else ""
    raise AssayError(
        f"{name}: no causal language model ({shown}{more}), so it gives no loss to the next token; "
        "name one of AutoModelForCausalLM's"
    )


def _list_files(name: ModelName, folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that decide what its model predicts."""
    found = (folder / file for file in (CONFIG, INDEX, *TOKENIZERS, *SETTINGS))
    yield from (path for path in found if path.is_file())
    if not (folder / INDEX).is_file() and not (folder / WEIGHTS).is_file():
        raise AssayError(f"{name}: {_explain_lack(folder)}")
    for shard in list_shards(folder):
        if not (folder / shard).is_file():
            raise AssayError(f"{name}: {shard} is missing, which {INDEX} names; fetch it again")
        yield folder / shard


def _explain_lack(folder: Path) -> str:
    """Return why a folder's parameters cannot be read, and what to do."""
    if (folder / ADAPTER).is_file():
        return "an adapter, without the model that it adapts; merge it into its base and save that"
    if any(path for pattern in PICKLES for path in folder.glob(pattern)):
        return (
            "its parameters are pickles, which can run code and are never read; save it anew with "
            f"save_pretrained, which writes {WEIGHTS}"
        )
    return f"no parameters ({WEIGHTS}, or {INDEX} and the files that it names)"


def _read_header(path: Path) -> list[tuple[list[int], str]]:
    """Return the shape and the type of every tensor of a safetensors file.

    Raises:
        AssayError: it is cut short, or none.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(len(POINTER))
        if start == POINTER:
            raise AssayError(f"{path}: git has left a pointer to the file here; run git lfs pull")
        length = int.from_bytes(start[:LENGTH], "little")
        if length > LONGEST_HEADER or LENGTH + length > size:
            raise AssayError(f"{path}: no safetensors file, or cut short; fetch it again")
        file.seek(LENGTH)
        try:
            header = json.loads(file.read(length))
            tensors = [one for key, one in header.items() if key != "__metadata__"]
            end = max((one["data_offsets"][1] for one in tensors), default=0)
            found = [(list(map(int, one["shape"])), str(one["dtype"])) for one in tensors]
        except (ValueError, LookupError, AttributeError, TypeError):
            raise AssayError(f"{path}: no safetensors file; fetch it again") from None
    if LENGTH + length + end != size:
        whole = LENGTH + length + end
        raise AssayError(f"{path}: has {size:,} bytes of {whole:,}; fetch it again")
    return found


def _count_in_gguf(path: Path) -> int:
    """Return how many parameters a GGUF file holds.

    Raises:
        AssayError: it is cut short, a part of one, of an architecture that transformers does not
            read, or without a tokenizer.
    """
    there = path.stat()
    return _read_gguf(path, there.st_mtime_ns, there.st_size)


@lru_cache(maxsize=8)
def _read_gguf(path: Path, *_: int) -> int:
    """Read a GGUF file as it lies there; its library takes seconds for a large vocabulary."""
    from gguf import GGUFReader
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    try:
        reader = GGUFReader(path)
        architecture = reader.fields["general.architecture"].contents()
    except (ValueError, LookupError, OSError, OverflowError):
        raise AssayError(f"{path}: no GGUF file, or cut short; fetch it again") from None
    if "split.count" in reader.fields and reader.fields["split.count"].contents() > 1:
        raise AssayError(f"{path}: one part of several; join them with llama-gguf-split --merge")
    if architecture not in GGUF_SUPPORTED_ARCHITECTURES:
        raise AssayError(
            f"{path}: transformers {version('transformers')} reads no GGUF file of "
            f"{architecture!r}; valid: {', '.join(sorted(GGUF_SUPPORTED_ARCHITECTURES))}"
        )
    if "tokenizer.ggml.tokens" not in reader.fields:
        raise AssayError(f"{path}: a model without a tokenizer; name a file that has one")
    return sum(int(tensor.n_elements) for tensor in reader.tensors)


def _list_causal() -> tuple[set[str], set[str]]:
    """Return the classes that transformers has for causal language models, and their types."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as NAMES

    return set(NAMES.values()), set(NAMES)


def _list_types() -> set[str]:
    from transformers import CONFIG_MAPPING

    return set(CONFIG_MAPPING)
