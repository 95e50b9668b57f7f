"""Re-weighting a finished run by another policy, without its texts: `assay weigh`.

The result is a run folder of its own, byte for byte the one that `assay curate` with that policy
would have written. What no policy changes is shared with the run it comes from: the files are hard
links where the file system allows it, and copies elsewhere.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.operations.meter import Meter, collect_timings
from flows.operations.standing import require_finished
from flows.recipe.problems import list_problems
from flows.recipe.schema import Recipe, parse_recipe
from flows.run.folder import Run, claim_run, open_run
from flows.run.manifest import REPLAYS, publish_manifest
from flows.run.session import Session
from flows.run.stages import run_stage, weigh_tokens
from pipelines.verify.weights import STATISTICS, verify_weights
from weighting.contracts.manifest import MANIFEST_NAME, FileEntry, Manifest
from weighting.errors import AssayError
from weighting.policies.registry import check_policy
from weighting.storage.files import replacing

BEFORE = ("curate", "tokenizer", "tokenize", "reference", "score")  # stages that are shared


def reweigh(
    base: Path,
    out: Path,
    weights: Mapping[str, Any],
    selection: Mapping[str, Any],
    overwrite: bool,
    session: Session,
) -> Run:
    """Weigh the tokens of `base` into the run folder `out`.

    `weights` and `selection` replace those tables of the recipe; what they leave out has
    its default. Done before, nothing is done; killed, it goes on.

    Raises:
        AssayError: the run kept no signals, those that the policy asks for are not among them, or
            `out` is the run itself.
    """
    if out.resolve() == base.resolve():
        raise AssayError(f"{out}: that is the run itself; name another --out")
    manifest = require_finished(base)
    run = open_run(base)
    recipe = change_recipe(run.recipe, weights, selection)
    _check_measured(manifest, recipe)
    if not any((base / "signals").glob("*.parquet")):
        raise AssayError(
            f"{base}: keeps no signals, so it cannot be weighed anew; "
            "curate it with signals.keep = true"
        )
    claim = replace(run.claim, recipe=recipe.model_dump(mode="json"))
    claimed = claim_run(out, claim, overwrite)
    session.log.open()
    if not (out / MANIFEST_NAME).exists():
        with session.console.status("linking what stays the same"):
            shared = [entry for entry in manifest.files if is_shared(entry.path)]
            share(base, out, [*(entry.path for entry in shared), *_list_unlisted(base)])
        weigh_tokens(out, session)
    run_stage(claimed, "verify", session, lambda meter: _verify(claimed, manifest, meter))
    shutil.rmtree(out / "units", ignore_errors=True)
    return claimed


def change_recipe(
    recipe: Recipe, weights: Mapping[str, Any], selection: Mapping[str, Any]
) -> Recipe:
    """Return the recipe with other tables `weights` and `selection`.

    Raises:
        AssayError: a key or value is not valid, or needs signals that the recipe does not give.
    """
    fields = recipe.model_dump(mode="json")
    fields |= {"weights": dict(weights), "selection": dict(selection)}
    try:
        return parse_recipe(fields)
    except ValidationError as error:
        raise AssayError("; ".join(map(str, list_problems(error, Recipe)))) from None


def _check_measured(manifest: Manifest, recipe: Recipe) -> None:
    """Raise AssayError where the policy needs a signal that came to assay after the run."""
    if measured := list(manifest.counts.signals.means):
        check_policy(recipe.weights.policy, recipe.weights.params(), measured)


def is_shared(path: str) -> bool:
    """Say whether an output is the same whatever the policy."""
    folder, _, name = path.partition("/")
    return folder != "shards" and not (folder == "stats" and Path(name).stem in STATISTICS)


def share(base: Path, out: Path, paths: list[str]) -> None:
    """Put files of one run into another: links where possible, whole copies elsewhere."""
    for path in paths:
        target = out / path
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(base / path, target)
        except OSError:  # another file system, or one without links
            with replacing(target) as temporary:
                shutil.copyfile(base / path, temporary)


def _list_unlisted(base: Path) -> list[str]:
    """Return the files besides the manifest's that say what was done, those that there are."""
    names = [REPLAYS, *(f"stages/{stage}.json" for stage in BEFORE)]
    return [name for name in names if (base / name).exists()]


def _verify(run: Run, manifest: Manifest, meter: Meter) -> None:
    documents = manifest.counts.documents
    weights = verify_weights(run.job, run.recipe.weigh_settings(), documents)
    counts = replace(manifest.counts, weights=weights)
    known: dict[str, FileEntry] = {
        entry.path: entry for entry in manifest.files if is_shared(entry.path)
    }
    timings = collect_timings(run, "verify", meter)
    publish_manifest(run, counts, manifest.versions, timings, known)
