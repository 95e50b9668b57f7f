"""Replay: what was quarantined is read again after a fix, and a run ends as a fresh one would.

The new state is built in RUN/.replay, a run folder of its own, while RUN stays as it was. When it
is whole, its parts move into the places of the old ones, the manifest last. Killed before that, RUN
is untouched; killed in between, RUN has no manifest. Either way the same command goes on.
"""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pydantic import ValidationError

from flows import report
from flows.database import origin
from flows.operations.standing import require_finished
from flows.recipe.document_sections import check_read
from flows.recipe.problems import list_problems
from flows.recipe.tables import read_table
from flows.run.folder import Run, claim_run, open_run
from flows.run.inputs import EARLIER, digest_files, locate, plan_units
from flows.run.manifest import REPLAYS, read_replays
from flows.run.session import Session
from flows.run.stages import DATA_STAGES, curate_documents
from pipelines import identity
from pipelines.curate import quarantine
from pipelines.curate.decontaminate import prepare_items, share_items
from pipelines.curate.replay import drop_files, read_again, restore_hits, restore_rows, restore_unit
from pipelines.readers.records import ReadOptions
from pipelines.settings import Job
from pipelines.verify.outputs import OUTPUTS
from pipelines.work.folder import WorkFolder
from pipelines.work.units import Unit, bind, fingerprint
from weighting.contracts.claim import CLAIM
from weighting.contracts.counts import Replay
from weighting.contracts.documents import Verdict
from weighting.contracts.inputs import InputEntry
from weighting.contracts.manifest import MANIFEST_NAME
from weighting.contracts.timings import StageTiming
from weighting.errors import AssayError
from weighting.storage.files import read_json, sync, write_json
from weighting.storage.json_records import write_record
from weighting.vocabulary import CONFIG

STAGING = ".replay"
MOVING = "moving"  # in the staging folder: marks that its parts are on their way
FOLDERS = (*OUTPUTS, "stages")
FILES = ("tokenizer.json", CONFIG, REPLAYS, CLAIM)


@dataclass(frozen=True)
class Plan:
    """How a run is made again: its new units, and for each the old unit of the same slices.

    Units without such a twin, and those in `again`, are read; the others are restored.
    """

    units: list[Unit]
    inputs: list[InputEntry]
    paths: list[str]
    twins: Mapping[int, int]
    again: set[int]
    changed: set[str]


def replay(
    folder: Path, fields: Mapping[str, str], paths: Sequence[str], session: Session
) -> Replay | None:
    """Read a run's quarantined records again; None if nothing is quarantined.

    `fields` are read options in place of the recipe's, for the units with quarantined records:
    what was read before stays as it is. `paths` say where the inputs are, if they were moved.

    Raises:
        AssayError: the run is not whole, its inputs are gone, or records would be lost.
    """
    check_fields(fields)
    staging = folder / STAGING
    if (staging / MANIFEST_NAME).exists() and (staging / MOVING).exists():  # killed on the way
        publish(staging, folder)
        return read_replays(folder)[-1]
    if (staging / MOVING).exists():  # killed when all had moved
        shutil.rmtree(staging)
    require_finished(folder)
    session.log.open()
    run = open_run(folder)
    if not any(quarantine.read(folder / "quarantine")):
        return None
    with session.console.status("looking at the inputs"):
        plan = make_plan(run, fields, paths)
    staged = _stage(run, plan, fields)
    with session.console.status("reading again, restoring the rest"):
        prepare_items(run.recipe.contamination_settings(), staged.job)
        _fill(staged, run, plan, fields)
    curate_documents(staging, session)
    outcome = _compare_or_drop(folder, staging, fields, plan.changed)
    if outcome.recovered or plan.changed:
        write_record(staging / REPLAYS, [*read_replays(folder), outcome])
        _keep_models(run, staged)
        for stage in ("tokenize", "reference", "score", "weigh", "verify"):
            DATA_STAGES[stage](staging, session)
        publish(staging, folder)
    return outcome


def check_fields(fields: Mapping[str, str]) -> None:
    """Raise AssayError where a read option has a value that no recipe may have."""
    try:
        check_read(read_table(ReadOptions, fields))
    except ValidationError as error:
        raise AssayError(str(list_problems(error, ReadOptions)[0])) from None


def make_plan(run: Run, fields: Mapping[str, str], paths: Sequence[str]) -> Plan:
    """Plan the inputs as a fresh run would, and say what has to be read of them.

    Only files of units that are read are hashed. A unit is read if it holds a file with quarantined
    records or with other content than before, if it is cut otherwise, or if lists or code changed.
    """
    claim, named = run.claim, locate(paths) if paths else run.claim.paths
    units = plan_units(named, run.recipe.read.format, run.folder).units
    lists, same_lists = _digest_lists(run)
    cuts = {_describe_cut(unit): unit.uid for unit in claim.units}
    # Deleted passages are not to be had again from what the run kept.
    same_code = claim.code == _hash_code(run)
    if not (same_lists and same_code) or run.recipe.passages.action == "delete":
        cuts = {}
    twins = {unit.uid: cuts[cut] for unit in units if (cut := _describe_cut(unit)) in cuts}
    if fields and len(twins) < len(units):
        raise AssayError(
            f"{run.folder}: inputs, lists or code are not as they were, so fields cannot change in "
            "the same step; run assay replay without them first"
        )
    bad = {entry.name for entry in quarantine.read(run.folder / "quarantine")}
    again = {unit.uid for unit in units if unit.uid not in twins or bad & _list_names(unit)}
    known = {entry.name: entry for entry in claim.inputs}
    found, changed = _digest_inputs(units, again, known)
    again |= {unit.uid for unit in units if changed & _list_names(unit)}
    names = sorted(set().union(*map(_list_names, units)))
    inputs = [found.get(name) or known[name] for name in names]
    earlier = [entry for entry in claim.inputs if entry.name.startswith(f"{EARLIER} ")]
    entries = [*inputs, *lists, *earlier]
    return Plan(bind(units, inputs), entries, named, twins, again, changed)


def _digest_inputs(
    units: Sequence[Unit], again: set[int], known: Mapping[str, InputEntry]
) -> tuple[dict[str, InputEntry], set[str]]:
    """Return the digests of the files of units that are read, and the names of changed files.

    A changed file makes units with other parts of it be read, whose files are looked at in turn.
    """
    found: dict[str, InputEntry] = {}
    changed: set[str] = set()
    seen: set[int] = set()
    while again - seen:
        fresh = [unit for unit in units if unit.uid in again - seen]
        found |= {entry.name: entry for entry in fingerprint(fresh)}
        seen |= again
        changed = {name for name, entry in found.items() if known.get(name) != entry}
        again = again | {unit.uid for unit in units if changed & _list_names(unit)}
    return found, changed


def _digest_lists(run: Run) -> tuple[list[InputEntry], bool]:
    """Return the entries of the files that the recipe names, and whether they are as before.

    The tokenizer's stays, for the run's own is kept; a file that is gone counts as unchanged.
    """
    known = {entry.name: entry for entry in run.claim.inputs}
    now = {entry.name: entry for entry in digest_files(run.recipe, missing_ok=True)}
    names = [f"{key} {path.name}" for key, path in run.recipe.list_files()]
    names = [name for name in names if name in known]  # a tokenizer's configuration may be new
    kept = [name for name in names if name.startswith("tokenizer.") or name not in now]
    entries = [known[name] if name in kept else now[name] for name in names]
    return entries, all(known[entry.name] == entry for entry in entries)


def _hash_code(run: Run) -> str:
    """Return the hash of the code at hand, as far as it makes this run's data."""
    return identity.hash_code(run.recipe.reference.find_kinds())


def _describe_cut(unit: Unit) -> tuple[tuple[str, str, int, int], ...]:
    return tuple((piece.name, piece.reader, piece.start, piece.end) for piece in unit.slices)


def _list_names(unit: Unit) -> set[str]:
    return {piece.name for piece in unit.slices}


def _stage(run: Run, plan: Plan, fields: Mapping[str, str]) -> Run:
    """Claim the staging folder; what a replay of other fields or inputs left there goes."""
    staging = run.folder / STAGING
    asked = staging / "fields.json"
    if staging.exists() and not (asked.exists() and read_json(asked) == dict(fields)):
        shutil.rmtree(staging)
    claim = replace(
        run.claim, inputs=plan.inputs, code=_hash_code(run), paths=plan.paths, units=plan.units
    )
    staged = claim_run(staging, claim, overwrite=True)
    write_json(asked, dict(fields))
    return staged


def _fill(staged: Run, run: Run, plan: Plan, fields: Mapping[str, Any]) -> None:
    """Write the clean stage's files of every unit with a twin; the others are left to the job."""
    settings = run.curate_settings()
    asked = replace(settings, read=replace(settings.read, **fields))
    for unit in plan.units:
        twin = plan.twins.get(unit.uid)
        if twin is None:
            continue
        if unit.uid not in plan.again:
            restore_unit(unit.uid, run.folder, twin, settings, staged.job)
            continue
        known = drop_files(restore_rows(run.folder, twin), plan.changed)
        with TemporaryDirectory(dir=staged.folder) as scratch:
            job = Job(Path(scratch), WorkFolder(Path(scratch) / "units"))
            share_items(staged.job, job)
            hits = restore_hits(run.folder, twin)
            read_again(unit, known, hits, asked, job, staged.job)


def compare(old: Path, new: Path, fields: Mapping[str, str], changed: set[str]) -> Replay:
    """Return what became of the quarantined records.

    Raises:
        AssayError: a record of an unchanged file that could be read before cannot be read now.
    """
    before, after = _read_records(old), _read_records(new)
    lost = drop_files(before.readable, changed)
    lost = lost.filter(pc.invert(pc.is_in(lost["doc_id"], after.readable["doc_id"])))
    if len(lost):
        raise AssayError(
            f"{old}: {len(lost)} records that could be read before cannot be read now, first "
            f"{lost['locator'][0]}; nothing was changed (assay curate --overwrite starts over)"
        )
    kinds = sorted({*before.errors, *after.errors})
    return Replay(
        len(after.readable) - len(before.readable),
        {kind: (before.errors[kind], after.errors[kind]) for kind in kinds},
        dict(fields),
        sorted(changed),
    )


def _compare_or_drop(old: Path, new: Path, fields: Mapping[str, str], changed: set[str]) -> Replay:
    """Compare; what is staged goes where it is of no use."""
    try:
        outcome = compare(old, new, fields, changed)
    except AssayError:
        shutil.rmtree(new)
        raise
    if not outcome.recovered and not changed:
        shutil.rmtree(new)
    return outcome


@dataclass(frozen=True)
class Records:
    """A ledger in short: id and locator of what could be read, numbers of what could not."""

    readable: pa.Table
    errors: Counter[str]


def _read_records(run: Path) -> Records:
    columns = ["doc_id", "locator", "verdict", "rule"]
    ledger = ds.dataset(run / "ledger", format="parquet").to_table(columns=columns)
    bad = pc.equal(ledger["verdict"], Verdict.QUARANTINED.value)
    return Records(ledger.filter(pc.invert(bad)), Counter(ledger.filter(bad)["rule"].to_pylist()))


def _keep_models(run: Run, staged: Run) -> None:
    """Give the staged run the run's tokenizer and reference: ids and losses mean the same then."""
    if not staged.is_done("tokenizer"):
        for name in ("tokenizer.json", CONFIG):
            if (run.folder / name).exists():  # runs of earlier versions have no configuration
                shutil.copyfile(run.folder / name, staged.folder / name)
        staged.finish("tokenizer", StageTiming())
    if run.is_done("reference") and not staged.is_done("reference"):
        shutil.copytree(run.folder / "reference", staged.folder / "reference", dirs_exist_ok=True)
        staged.finish("reference", StageTiming())


def publish(staging: Path, folder: Path) -> None:
    """Move a whole staged run into the place of the old one. Killed, it can be called again.

    What is in `staging` has not moved yet; the old manifest goes first and the new comes last.
    """
    if not (staging / MOVING).exists():
        for name in FOLDERS:
            (staging / name).mkdir(exist_ok=True)  # in place of one that only the old run has
        (staging / MOVING).touch()
        sync(staging)
    for name in (MANIFEST_NAME, origin.NAME, report.NAME):
        (folder / name).unlink(missing_ok=True)
    for name in (*FOLDERS, *FILES):
        source, target = staging / name, folder / name
        if not source.exists():
            continue
        if target.is_dir():
            shutil.rmtree(target)
        source.replace(target)
    sync(folder)
    (staging / MANIFEST_NAME).replace(folder / MANIFEST_NAME)
    sync(folder)
    shutil.rmtree(staging)
