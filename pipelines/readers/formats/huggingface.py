"""Hugging Face datasets: from the hub, a local folder, or as `save_to_disk` left them.

An input is a saved dataset's folder, or `hf:NAME[:CONFIG][@SPLIT]` with what `load_dataset` takes
as a name: a dataset of the hub or a folder of data files. Slices count rows. The library is slow
to import, so it is imported at first use; its telemetry is off.
"""

import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pipelines.readers.records import ReadOptions, Record, Reject, Slice
from pipelines.readers.rows import SAMPLED, Origin, read_batch, refuse_table
from weighting.errors import AssayError

SCHEME = "hf:"
STREAM_SCHEME = "hf-stream:"  # see `readers.formats.huggingface_stream`
BATCH_ROWS = 1000
T = TypeVar("T")
OPEN_DATASETS = 8  # memory-mapped, so cheap to keep, but each holds file handles


class Spec(NamedTuple):
    """The parts of `hf:NAME[:CONFIG][@SPLIT]`; absent ones are empty."""

    name: str
    config: str
    split: str

    @classmethod
    def parse(cls, text: str) -> "Spec":
        """Split a spec, or a saved dataset's folder, into its parts."""
        scheme = _scheme(text)
        if not scheme:
            return cls(text, "", "")
        body, _, split = text.removeprefix(scheme).partition("@")
        name, _, config = (body, "", "") if Path(body).exists() else body.partition(":")
        return cls(name, config, split)


def locate(text: str) -> tuple[str, str]:
    """Return where a spec's dataset lies, and its name in ids; folders become absolute."""
    name = Spec.parse(text).name
    if not Path(name).exists():
        return text, text
    path, choice = Path(name).resolve(), text.removeprefix(_scheme(text) + name)
    return f"{_scheme(text)}{path}{choice}", f"{path.name}{choice}"


def is_saved(folder: str) -> bool:
    """Whether `Dataset.save_to_disk` wrote this folder. A saved DatasetDict holds such folders."""
    return all(Path(folder, name).is_file() for name in ("state.json", "dataset_info.json"))


def cut(path: str, name: str, target_bytes: int) -> list[Slice]:
    """Cut a dataset into ranges of rows of about `target_bytes` of Arrow data; the last is open.

    Raises:
        AssayError: the dataset cannot be loaded, or has several splits and none is chosen.
    """
    dataset = load(path)
    rows, size = len(dataset), dataset.data.nbytes
    count = max(1, min(rows, round(size / target_bytes)))
    bounds = [rows * index // count for index in range(count)] + [-1]
    return [
        Slice(path, name, "huggingface", start, end, size // count)
        for start, end in pairwise(bounds)
    ]


def read(slice_: Slice, options: ReadOptions) -> Iterator[Record | Reject]:
    """Yield the rows of a slice; locators are `row N`. Records name the dataset as their source."""
    dataset = load(slice_.path).with_format("arrow")
    schema = dataset.features.arrow_schema
    if refused := refuse_table(schema, options, None):
        if slice_.start == 0 and len(dataset):
            sample = dataset[: min(SAMPLED, len(dataset))]
            yield refuse_table(schema, options, sample) or refused
        return
    end = len(dataset) if slice_.end < 0 else slice_.end
    origin = Origin(Path(Spec.parse(slice_.path).name).name)
    for first in range(slice_.start, end, BATCH_ROWS):
        yield from read_batch(dataset[first : min(first + BATCH_ROWS, end)], first, options, origin)


def digest(path: str) -> tuple[int, str]:
    """Return the Arrow data's size in bytes and the fingerprint that `datasets` keeps."""
    dataset = load(path)
    return int(dataset.data.nbytes), str(dataset._fingerprint)


@lru_cache(maxsize=OPEN_DATASETS)
def load(path: str) -> Any:  # noqa: ANN401 - a datasets.Dataset; the library ships no types
    """Open the one split that a spec, or a saved dataset's folder, stands for.

    Raises:
        AssayError: it cannot be loaded, or has several splits and none is chosen.
    """
    loaded = attempt(path, _open, Spec.parse(path))
    splits = loaded if isinstance(loaded, dict) else {"": loaded}
    return splits[choose_split(path, list(splits))]


def attempt(path: str, action: Callable[[Spec], T], spec: Spec) -> T:
    """Return what the library makes of a spec.

    Raises:
        AssayError: it fails.
    """
    try:
        return action(spec)
    except Exception as error:  # whatever its parts raise: StopIteration for an empty file
        reason = str(error).partition("\n")[0] or "is it empty?"
        raise AssayError(f"{path}: the dataset cannot be loaded ({reason})") from error


def choose_split(path: str, splits: list[str]) -> str:
    """Return the split that a spec names, or the only one there is.

    Raises:
        AssayError: there is no such split, or there are several and none is named.
    """
    split = Spec.parse(path).split or (splits[0] if len(splits) == 1 else "")
    if split not in splits:
        base = path.partition("@")[0]
        choices = ", ".join(f"{base}@{name}" if name else base for name in splits)
        raise AssayError(f"{path}: choose one split; valid: {choices}")
    return split


def open_library() -> Any:  # noqa: ANN401 - the module
    """Import `datasets`, with its telemetry and progress bars off."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import datasets

    datasets.disable_progress_bars()
    return datasets


def _open(spec: Spec) -> Any:  # noqa: ANN401 - a Dataset, or a dict of them by split
    library = open_library()
    if is_saved(spec.name) or Path(spec.name, "dataset_dict.json").is_file():
        return library.load_from_disk(spec.name)
    return library.load_dataset(spec.name, spec.config or None)


def _scheme(text: str) -> str:
    return next((prefix for prefix in (SCHEME, STREAM_SCHEME) if text.startswith(prefix)), "")
