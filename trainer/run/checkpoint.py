"""Checkpoints: one folder a step, safetensors and JSON, whole or absent.

    checkpoints/step-00000250/model.safetensors       parameters
                              optimizer.safetensors   its tensors, named KIND/PARAMETER
                              types.safetensors       running statistics, if the objective has any
                              targets.safetensors     how often each type is a target in training
                              record.json             step, tokens, config, fingerprint of the data

That is all a resume needs: the learning rate and the batches are functions of the step, and no
random number is drawn after the parameters are made.
"""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import safetensors
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from trainer.run.identity import Begun
from weighting.arrays import Int64s
from weighting.errors import AssayError
from weighting.storage.files import read_json, sync
from weighting.storage.json_records import from_json, write_record

FORMAT = 3
READ = (2, 3)  # 2 has no targets, and names places as the command did
STEP = re.compile(r"step-\d{8,}")
TARGETS = "targets"

Tensors = Mapping[str, Tensor]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Record(Begun):
    """What a checkpoint says of itself beside its tensors."""

    format: int = FORMAT


def save(folder: Path, record: Record, files: Mapping[str, Tensors], keep: int) -> None:
    """Write the checkpoint of `record.step`, then remove all but the newest `keep`.

    `files` holds the tensors by the name of their file, without its suffix.
    """
    target = folder / f"step-{record.step:08d}"
    if not target.exists():
        temporary = folder / f".{target.name}.{os.getpid()}.tmp"
        try:
            _write(temporary, record, files)
            temporary.replace(target)
        finally:
            # Left by a save that failed: if the disk is full, it takes the space that is missing.
            shutil.rmtree(temporary, ignore_errors=True)
        sync(folder)
    remove_old(folder, keep)


def _write(folder: Path, record: Record, files: Mapping[str, Tensors]) -> None:
    folder.mkdir(parents=True)
    for name, tensors in files.items():
        save_file(_to_cpu(tensors), folder / f"{name}.safetensors")
    write_record(folder / "record.json", record)
    for path in (*folder.iterdir(), folder):
        sync(path)


def list_kept(folder: Path) -> list[Path]:
    """Return the checkpoints that are there, oldest first."""
    found = folder.glob("step-*")
    return sorted(path for path in found if STEP.fullmatch(path.name))


def find_latest(folder: Path) -> Path | None:
    """Return the checkpoint of the highest step, None where there is none."""
    return max(list_kept(folder), default=None)


def find_newest(run: Path) -> Path:
    """Return the newest checkpoint of a run's folder; a checkpoint's own folder is the one meant.

    Raises:
        AssayError: there is none.
    """
    if _is_checkpoint(run):
        return run
    latest = find_latest(run / "checkpoints")
    if latest is None:
        raise AssayError(f"{run}: no checkpoint here; give the folder of a run")
    return latest


def read_newest(run: Path, read: Callable[[Path], T]) -> T:
    """Return what `read` makes of the newest checkpoint of a run, which may be training meanwhile.

    Raises:
        AssayError: there is no checkpoint, or it is damaged.
    """
    while True:
        newest = find_newest(run)
        try:
            return read(newest)
        except AssayError:
            if newest.exists():
                raise  # else it made room for a newer one


def find_run(checkpoint: Path) -> Path:
    """Return the folder of a checkpoint's run."""
    return checkpoint.absolute().parent.parent


def _is_checkpoint(folder: Path) -> bool:
    return bool(STEP.fullmatch(folder.name)) and (folder / "record.json").exists()


def find_spread(run: Path, count: int) -> list[Path]:
    """Return `count` checkpoints of a run, oldest first, evenly spread over those that it kept.

    One is the newest; from two on the oldest is among them.

    Raises:
        AssayError: the run kept fewer.
    """
    newest, kept = find_newest(run), list_kept(run / "checkpoints")
    if len(kept) < count:
        raise AssayError(
            f"{run}: {count} checkpoints are wanted, and it kept {len(kept)}; ask for fewer, or "
            "train it with a larger keep or a smaller save_every"
        )
    if count == 1:
        return [newest]
    return [kept[number * (len(kept) - 1) // (count - 1)] for number in range(count)]


def read_record(checkpoint: Path) -> Record:
    """Read a checkpoint's record.

    Raises:
        AssayError: it is missing, of another format, or no record.
    """
    path = checkpoint / "record.json"
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") not in READ:
        raise AssayError(f"{checkpoint}: not a checkpoint of format {FORMAT}")
    return from_json(Record, content, str(path))


def read_tensors(checkpoint: Path, name: str) -> dict[str, Tensor]:
    """Read one file of tensors.

    Raises:
        AssayError: it is missing or damaged.
    """
    path = checkpoint / f"{name}.safetensors"
    try:
        return load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise AssayError(
            f"{path}: damaged ({error}); remove {checkpoint.name} to resume from the one before"
        ) from None


def read_target_counts(checkpoint: Path, record: Record) -> Int64s | None:
    """Return how often each type is a target in the training split; None of an older checkpoint.

    Raises:
        AssayError: the file is damaged, or of other data.
    """
    if record.format < FORMAT:
        return None
    counts_V: Int64s = read_tensors(checkpoint, TARGETS)["counts"].numpy()
    if (len(counts_V), counts_V.sum()) != (record.data.vocab_size, record.data.train_tokens):
        raise AssayError(f"{checkpoint / TARGETS}.safetensors: not of the run's training split")
    return counts_V


def load_model(checkpoint: Path, model: nn.Module) -> None:
    """Fill the parameters of `model`.

    Raises:
        AssayError: the file is damaged, or belongs to a model of another shape.
    """
    tensors = read_tensors(checkpoint, "model")
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise AssayError(
            f"{checkpoint}: of another model ({str(error).splitlines()[-1].strip()})"
        ) from None


def _to_cpu(tensors: Tensors) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def remove_old(folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints, and what killed saves left."""
    for old in list_kept(folder)[:-keep]:
        # Renamed first: a folder with a checkpoint's name is a whole checkpoint at any moment.
        shutil.rmtree(old.replace(folder / f".{old.name}.old.tmp"))
    for left_over in folder.glob(".*.tmp"):
        shutil.rmtree(left_over)
