"""What a run will read: units planned, inputs hashed, models tried before the work begins."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flows.recipe.schema import Recipe
from flows.recipe.token_sections import ReferenceTable
from pipelines.curate.cluster import check_index
from pipelines.readers.inputs import Input, expand, is_local
from pipelines.readers.streams.urls import is_url, tidy
from pipelines.tokenize.tokenizer_file import settle
from pipelines.work.units import TARGET_BYTES, Plan, plan_found
from weighting.contracts.inputs import InputEntry
from weighting.contracts.manifest import digest_manifest, read_manifest
from weighting.errors import AssayError
from weighting.signals.model_names import parse_model
from weighting.signals.model_settings import ModelSettings
from weighting.storage.files import sha256
from weighting.storage.urls import LOCAL_ONLY, find_url

if TYPE_CHECKING:
    from trainer.scoring.cost import Passes

EARLIER = "against"  # begins the names of the inputs that are earlier runs
MANY_UNITS = 32  # small corpora are cut finer, so that every worker gets some of them
MIN_UNIT_BYTES = 2**20


class Tried(NamedTuple):
    """What is to be told of a recipe's tokenizer, a line each, and what its models will read."""

    remarks: Sequence[str] = ()
    passes: "Sequence[Passes]" = ()


def check_models(recipe: Recipe) -> Tried:
    """Try the tokenizer and the models that a recipe names: bad ones end a run before its work.

    What a model reads is known where all of them are there, and the run trains none.

    Raises:
        AssayError: one cannot be used, or a training run reads by another tokenizer than the run.
    """
    path, reference = recipe.tokenizer.path, recipe.reference
    tokenizer = None if path is None else settle(Path(path), recipe.tokenizer.end_of_text)
    remarks = () if tokenizer is None else tokenizer.remarks
    settings = reference.settings(Path())
    named = dict(reference.list_named())
    if settings is None or not named:
        return Tried(remarks)
    if tokenizer is None and not all(parse_model(name).pretrained for name in named.values()):
        raise AssayError(
            "training runs of reference read by a tokenizer of their own: name it as tokenizer.path"
        )
    check_need(reference, workers=1)
    from flows.operations.scoring_cost import estimate_passes  # with torch, for runs with models
    from pipelines.score.model_scorer import describe_models

    digest, eos_id = (tokenizer.sha256, tokenizer.eos_id) if tokenizer else ("", 0)
    if not reference.train:
        describe_models(settings, digest, eos_id)
        return Tried(remarks, estimate_passes(settings, digest))
    for name in named.values():  # each alone: what they are compared with is not trained yet
        describe_models(ModelSettings(name, context=reference.context), digest, eos_id)
    if reference.second is not None and parse_model(reference.second).pretrained:
        raise AssayError(
            f"{reference.second}: the second model is compared type by type with the one that the "
            "run trains; name a training run of the same tokenizer"
        )
    return Tried(remarks)


def check_need(reference: ReferenceTable, workers: int) -> None:
    """Check that the models that a recipe names fit into memory.

    Raises:
        AssayError: they do not, or one cannot be used.
    """
    from flows.operations.memory import check_memory, find_free_memory, measure_need
    from trainer.machine.resources import find_device, has_native_bfloat16

    device = find_device("auto")
    counts = {"model": reference.spread, "other": reference.spread}
    named = ((parse_model(name), counts.get(key, 1)) for key, name in reference.list_named())
    need = measure_need(named, 2 if has_native_bfloat16(device) else 4)
    check_memory(need, workers, find_free_memory(device))


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
