"""Where the files of a model lie; those of the Hugging Face hub are fetched first."""

from pathlib import Path
from typing import NamedTuple

from weighting.signals.model_names import ModelKind, ModelName


class Located(NamedTuple):
    """The folder of a model's files, and of the hub's the commit."""

    folder: Path
    commit: str | None = None


def locate(name: ModelName) -> Located:
    """Return where a model's files lie."""
    path = Path(name.place)
    return Located(path.parent if name.kind is ModelKind.GGUF else path)
