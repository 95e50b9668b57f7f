"""Checkpoints: one folder a step, safetensors and JSON, whole or absent.

    checkpoints/step-00000250/model.safetensors       parameters
                              optimizer.safetensors   its tensors, named KIND/PARAMETER
                              record.json             step, tokens, config, fingerprint of the data

That is all a resume needs: the learning rate and the batches are functions of the step, and no
random number is drawn after the parameters are made.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from weighting.errors import AssayError
from weighting.files import read_json, sync, write_json

FORMAT = 1
PREFIX = "step-"


def save(
    folder: Path, record: Mapping[str, Any], model: nn.Module, optimizer: Optimizer, keep: int
) -> None:
    """Write the checkpoint of `record["step"]`, then remove all but the newest `keep`."""
    target = folder / f"{PREFIX}{record['step']:08d}"
    if not target.exists():
        temporary = folder / f".{target.name}.{os.getpid()}.tmp"
        temporary.mkdir(parents=True)
        save_file(_to_cpu(model.state_dict()), temporary / "model.safetensors")
        save_file(_to_cpu(_name_tensors(model, optimizer)), temporary / "optimizer.safetensors")
        write_json(temporary / "record.json", {"format": FORMAT, **record})
        for path in (*temporary.iterdir(), temporary):
            sync(path)
        temporary.replace(target)
        sync(folder)
    _remove_old(folder, keep)


def find_latest(folder: Path) -> Path | None:
    """Return the checkpoint of the highest step, None where there is none."""
    return max(folder.glob(f"{PREFIX}*"), default=None)


def read_record(checkpoint: Path) -> dict[str, Any]:
    """Read a checkpoint's record.

    Raises:
        AssayError: it is missing, or of another format.
    """
    record: dict[str, Any] = read_json(checkpoint / "record.json")
    if record.pop("format", None) != FORMAT:
        raise AssayError(f"{checkpoint}: not a checkpoint of format {FORMAT}")
    return record


def load_model(checkpoint: Path, model: nn.Module) -> None:
    """Fill the parameters of `model`.

    Raises:
        AssayError: the file is damaged, or belongs to a model of another shape.
    """
    try:
        model.load_state_dict(_read_tensors(checkpoint / "model.safetensors"))
    except RuntimeError as error:
        raise AssayError(
            f"{checkpoint}: of another model ({str(error).splitlines()[-1].strip()})"
        ) from None


def load_optimizer(checkpoint: Path, model: nn.Module, optimizer: Optimizer) -> None:
    """Fill the tensors of `optimizer`, which was built for `model`."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    tensors = _read_tensors(checkpoint / "optimizer.safetensors")
    by_parameter: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        kind, name = key.split("/", 1)
        by_parameter.setdefault(name, {})[kind] = tensor
    ordered = [names[p] for group in optimizer.param_groups for p in group["params"]]
    state = {number: by_parameter[name] for number, name in enumerate(ordered)}
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _name_tensors(model: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    return {
        f"{kind}/{name}": tensor
        for name, parameter in model.named_parameters()
        for kind, tensor in optimizer.state[parameter].items()
    }


def _to_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise AssayError(
            f"{path}: damaged ({error}); remove {path.parent.name} to resume from the one before"
        ) from None


def _remove_old(folder: Path, keep: int) -> None:
    for old in sorted(folder.glob(f"{PREFIX}*"))[:-keep]:
        # Renamed first: a folder with a checkpoint's name is a whole checkpoint at any moment.
        shutil.rmtree(old.replace(folder / f".{old.name}.old.tmp"))
    for left_over in folder.glob(".*.tmp"):
        shutil.rmtree(left_over)
