"""Names of models: what a recipe may write where it wants one.

    runs/small              a training run of `trainer`, or one checkpoint of it
    models/SmolLM2-135M     a folder that transformers loads (it holds config.json)
    models/smollm2.gguf     a GGUF file
    allenai/OLMo-2-0425-1B@stage1-step10000    of the Hugging Face hub, at a revision

Only a name with an @ can be one of the hub, and what is there as a path is the path: the hub is
never asked by mistake.
"""

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from weighting.errors import AssayError
from weighting.storage.urls import LOCAL_ONLY, find_url

HUB_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[\w.][\w./-]*)")
HUB_REPOSITORY = re.compile(
    r"(?:hf:(?://)?|https?://(?:huggingface\.co|hf\.co)/)?([\w.-]+/[\w.-]+)/?"
)
GGUF_PART = re.compile(r".*-\d{5}-of-\d{5}\.gguf", re.IGNORECASE)
ADAPTER = "adapter_config.json"  # of PEFT
NO_MODEL = (
    "no model is there: no training run (checkpoints), no folder of transformers (config.json), no "
    "GGUF file; one of the hub is named with its revision, as in owner/name@main"
)


class ModelKind(StrEnum):
    """What a name stands for."""

    RUN = "run"  # of `trainer`
    FOLDER = "folder"  # of transformers
    GGUF = "gguf"
    HUB = "hub"


@dataclass(frozen=True)
class ModelName:
    """A model's kind, and its path or its repository; the revision is of those of the hub."""

    kind: ModelKind
    place: str
    revision: str | None = None

    def __str__(self) -> str:
        """Return the name that stands for the same model."""
        return self.place if self.revision is None else f"{self.place}@{self.revision}"

    @property
    def pretrained(self) -> bool:
        """Whether transformers loads it."""
        return self.kind is not ModelKind.RUN


def parse_model(name: str, folder: Path = Path()) -> ModelName:
    """Return what a name stands for; relative paths start in `folder`, and ~ is a home folder.

    Raises:
        AssayError: nothing of the four is there.
    """
    path = folder / os.path.expanduser(name)  # noqa: PTH111 - leaves a ~ that is nobody's
    if (kind := _find_kind(path)) is not None:
        return ModelName(kind, str(path))
    if not path.exists() and (match := HUB_NAME.fullmatch(name)):
        return ModelName(ModelKind.HUB, match["repository"], match["revision"])
    raise AssayError(_explain(name, path))


def _find_kind(path: Path) -> ModelKind | None:
    """Return what lies at a path, None where it is no model.

    A run of ours may have a config.json too, and somebody else's folder one named checkpoints.
    """
    if path.suffix.lower() == ".gguf" and path.is_file() and not GGUF_PART.fullmatch(path.name):
        return ModelKind.GGUF
    if any((path / "checkpoints").glob("step-*")) or (path / "record.json").is_file():
        return ModelKind.RUN
    if (path / "config.json").is_file():
        return ModelKind.FOLDER
    return ModelKind.RUN if (path / "checkpoints").is_dir() else None


def _explain(name: str, path: Path) -> str:
    """Return why a name stands for no model, and what to write in its place."""
    if path.exists():
        return f"{path}: {_explain_path(path)}"
    if match := HUB_REPOSITORY.fullmatch(name):
        where = "" if name.startswith(("hf:", "http")) else f"nothing is there ({path}); "
        return f"{name}: {where}a model of the hub is named with its revision: {match[1]}@main"
    if url := find_url(path):
        return f"{url}: {LOCAL_ONLY}"
    if "@" in name:
        return f"{name}: nothing is there; a model of the hub is named owner/name@revision"
    return f"{path}: {NO_MODEL}"


def _explain_path(path: Path) -> str:
    if path.is_file():
        if GGUF_PART.fullmatch(path.name):
            return (
                "a part of a GGUF file; join them with llama-gguf-split --merge and name the whole"
            )
        return f"a file, and no GGUF file; if a model's, name its folder: {path.parent}"
    if (path / ADAPTER).is_file():
        return (
            f"an adapter ({ADAPTER}), which is no model by itself; merge it into its base with "
            "PEFT's merge_and_unload, save that and name its folder"
        )
    if found := sorted(path.glob("*.gguf")):
        return f"a folder with GGUF files; name one of them, as in {found[0]}"
    return NO_MODEL
