"""What a run will read: units planned, inputs hashed, models tried before the work begins."""

import os
from collections.abc import Sequence
from pathlib import Path

from flows.recipe.schema import Recipe
from pipelines.curate.cluster import check_index
from pipelines.readers.inputs import Input, expand, is_local
from pipelines.readers.streams.urls import is_url, tidy
from pipelines.tokenize.tokenizer_file import settle
from pipelines.work.units import TARGET_BYTES, Plan, plan_found
from weighting.contracts.inputs import InputEntry
from weighting.contracts.manifest import digest_manifest, read_manifest
from weighting.errors import AssayError
from weighting.signals.model_settings import ModelSettings
from weighting.storage.files import sha256
from weighting.storage.urls import LOCAL_ONLY, find_url

EARLIER = "against"  # begins the names of the inputs that are earlier runs
MANY_UNITS = 32  # small corpora are cut finer, so that every worker gets some of them
MIN_UNIT_BYTES = 2**20


def check_models(recipe: Recipe) -> tuple[str, ...]:
    """Try the tokenizer and the reference that a recipe names: bad ones end a run before its work.

    Returns:
        What is to be said of the tokenizer, a line each.

    Raises:
        AssayError: one cannot be used, or the reference reads by another tokenizer than the run.
    """
    path, reference = recipe.tokenizer.path, recipe.reference
    tokenizer = None if path is None else settle(Path(path), recipe.tokenizer.end_of_text)
    remarks = () if tokenizer is None else tokenizer.remarks
    settings = recipe.score_settings(0, Path()).model
    named = [name for name in (reference.model, reference.second) if name is not None]
    if settings is None or not named:
        return remarks
    if tokenizer is None:
        raise AssayError(
            "the models of reference read by a tokenizer of their own: name it as tokenizer.path"
        )
    if reference.train:  # the second model alone can be tried
        settings = ModelSettings(named[0])
    from pipelines.score.model_scorer import describe_models  # with torch, for runs with models

    describe_models(settings, tokenizer.sha256, tokenizer.eos_id)
    return remarks


def plan_units(inputs: Sequence[str], reader: str | None = None, out: Path | None = None) -> Plan:
    """Plan the units of a corpus; a small one is cut finer, so that every worker gets some.

    `reader` reads all files, whatever their suffixes; nothing in the run's folder `out` is read.

    Raises:
        AssayError: an input cannot be used, or lies in `out`.
    """
    found = expand(inputs, reader, None if out is None else str(out))
    if out is not None:
        _check_outside(found.found, out)
    planned = plan_found(found)
    size = sum(piece.size for unit in planned.units for piece in unit.slices)
    target = max(MIN_UNIT_BYTES, size // MANY_UNITS)
    return plan_found(found, target) if target < TARGET_BYTES else planned


def _check_outside(inputs: Sequence[Input], out: Path) -> None:
    """Refuse inputs in the run's own folder, which would change, or go, while they are read."""
    folder = os.path.join(os.path.realpath(out), "")  # noqa: PTH118 - ends in a separator
    for item in inputs:
        if not is_url(item.path) and os.path.realpath(item.path).startswith(folder):
            raise AssayError(f"{item.path}: an input in the run's own folder; name another --out")


def locate(inputs: Sequence[str]) -> list[str]:
    """Return what names the inputs from any folder: local paths and globs absolute."""
    return sorted({str(Path(name).absolute()) if is_local(name) else tidy(name) for name in inputs})


def digest_files(recipe: Recipe, missing_ok: bool = False) -> list[InputEntry]:
    """Return the inputs' entries of the files that a recipe names: their content decides as well.

    Raises:
        AssayError: a file is gone, unless `missing_ok`.
    """
    entries: list[InputEntry] = []
    for key, path in recipe.list_files():
        if path.is_file():
            name, size = f"{key} {path.name}", path.stat().st_size
            entries.append(InputEntry(name, size, sha256(path)))
        elif not missing_ok:
            raise AssayError(f"{key}: no such file: {path}")
    return entries


def digest_runs(runs: Sequence[Path], out: Path, recipe: Recipe) -> list[InputEntry]:
    """Return the inputs' entries of earlier runs that a run is deduped against.

    Raises:
        AssayError: one is not finished, keeps no index, or was deduped in another way.
    """
    entries: list[InputEntry] = []
    settings = recipe.dedupe.settings(None)
    if runs and settings is None:
        raise AssayError("dedupe.exact is false, so there is nothing to compare with earlier runs")
    for run in runs:
        if url := find_url(run):
            raise AssayError(f"--{EARLIER}: {url}: {LOCAL_ONLY}")
        if run == out.absolute():
            raise AssayError(f"{run}: a run cannot be deduped against itself")
        read_manifest(run)
        check_index(run, settings.near if settings else None)
        entries.append(InputEntry(f"{EARLIER} {run}", *digest_manifest(run)))
    return entries
