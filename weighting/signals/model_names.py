"""Names of models: what a recipe may write where it wants one.

    runs/small              a training run of `trainer` (its folder holds checkpoints)
    models/SmolLM2-135M     a folder that transformers loads (it holds config.json)
    models/smollm2.gguf     a GGUF file
    allenai/OLMo-2-0425-1B@stage1-step10000    of the Hugging Face hub, at a revision

A name with an @ is one of the hub, all others are paths: the hub is never asked by mistake.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from weighting.errors import AssayError

HUB_NAME = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[\w./-]+)")


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

    @property
    def pretrained(self) -> bool:
        """Whether transformers loads it."""
        return self.kind is not ModelKind.RUN


def parse_model(name: str) -> ModelName:
    """Return what a name stands for.

    Raises:
        AssayError: nothing of the four is there.
    """
    path = Path(name)
    if path.is_file() and path.suffix.lower() == ".gguf":
        return ModelName(ModelKind.GGUF, name)
    if (path / "config.json").is_file():
        return ModelName(ModelKind.FOLDER, name)
    if (path / "checkpoints").is_dir() or (path / "record.json").is_file():
        return ModelName(ModelKind.RUN, name)
    if not path.exists() and (match := HUB_NAME.fullmatch(name)):
        return ModelName(ModelKind.HUB, match["repository"], match["revision"])
    raise AssayError(
        f"{name}: no model is there: no training run (checkpoints), no folder of transformers "
        "(config.json), no GGUF file; one of the hub is named with its revision, owner/name@main"
    )
