"""Where what a run reads lies now: beside the run as it was, else where its config says.

A run's records hold each place twice, absolute and seen from the run's folder. So a run finds its
data from whatever folder a command is started in, and when both have moved or were copied together.
What is found must be the run's own, told by checksums, or it is passed over.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.config.flat import FlatConfig, list_names
from trainer.data.corpus import Corpus, open_corpus
from weighting.contracts.shard_files import list_shards
from weighting.contracts.shard_info import TOKENIZER as FILE
from weighting.errors import AssayError
from weighting.knobs import PLACE
from weighting.storage.files import sha256

if TYPE_CHECKING:
    from trainer.run.identity import RunIdentity

SHARDS, TOKENIZER = "shards", "tokenizer"


def relate(config: FlatConfig, out: Path) -> Mapping[str, str]:
    """Return the places of a config as they are seen from the folder `out`."""
    given = {name: str(config[name]) for name in sorted(list_names(PLACE)) if config[name]}
    return {name: os.path.relpath(place, out.absolute()) for name, place in given.items()}


def list_candidates(run: Path, identity: "RunIdentity", name: str) -> list[Path]:
    """Return where a place of the run in the folder `run` may be, the likeliest first."""
    place = str(identity.config.get(name, ""))
    if not place:
        return []
    found = [Path(place).absolute()]
    if name in identity.places:
        found.insert(0, Path(os.path.normpath(run.absolute() / identity.places[name])))
    elif not Path(place).is_absolute():  # older records: seen from a folder that they do not name
        found += [parent / place for parent in run.absolute().parents]
    return list(dict.fromkeys(found))


def open_own_corpus(run: Path, identity: "RunIdentity") -> tuple[Path, Corpus]:
    """Return the shards that a run was trained on, and their folder.

    Raises:
        AssayError: they are not where they may be, or something else is.
    """
    tried = []
    for folder in list_candidates(run, identity, SHARDS):
        if not list_shards(folder):
            tried.append(f"no shards in {folder}")
            continue
        corpus = open_corpus(str(folder))
        if identity.data.same_validation(corpus):
            return folder, corpus
        tried.append(f"other documents in {folder}")
    raise AssayError(
        f"{run}: the run's shards are not found ({'; '.join(tried[:2]) or 'its config names none'})"
        "; name their folder with --shards"
    )


def choose_tokenizer(candidates: Iterable[Path], wanted: str) -> Path | None:
    """Return the first file whose SHA-256 is `wanted`, None where there is no file at all.

    Raises:
        AssayError: there are files, and none is the wanted one.
    """
    there = [path for path in candidates if path.exists()]
    right = next((path for path in there if sha256(path) == wanted), None)
    if there and right is None:
        raise AssayError(
            f"{there[0]}: not the tokenizer of the shards, whose SHA-256 is {wanted}; name it with "
            "--tokenizer"
        )
    return right


def list_tokenizers(config: FlatConfig) -> list[Path]:
    """Return where a config's tokenizer may be: as named, else beside the shards.

    Raises:
        AssayError: it is named, and there is no such file.
    """
    if named := str(config[TOKENIZER]):
        if not Path(named).exists():
            raise AssayError(f"{named}: no such file")
        return [Path(named)]
    return list_beside(Path(str(config[SHARDS])))


def list_own_tokenizers(run: Path, identity: "RunIdentity") -> list[Path]:
    """Return where the tokenizer of the run in the folder `run` may be."""
    named = list_candidates(run, identity, TOKENIZER)
    folders = list_candidates(run, identity, SHARDS)
    return [*named, *(path for folder in folders for path in list_beside(folder))]


def list_beside(shards: Path) -> list[Path]:
    """Return where the tokenizer of a folder of shards may be: in it, or beside it."""
    folder = shards.resolve()
    return [folder / FILE, folder.parent / FILE]
