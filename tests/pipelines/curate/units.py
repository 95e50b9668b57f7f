"""Units of a few documents, cleaned for the tests of what comes after."""

import json
from pathlib import Path

import pyarrow as pa

from pipelines.curate.clean import clean_unit
from pipelines.settings import CurateSettings, Job
from pipelines.work.folder import WorkFolder
from pipelines.work.units import Unit, plan


def open_job(folder: Path) -> Job:
    """Return a job whose work folder is in its run folder."""
    return Job(folder, WorkFolder(folder / "units"))


def write_unit(folder: Path, lines, uid: int = 0) -> Unit:
    """Write lines, texts or ready JSON, as a file and return the unit that is all of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uid}.jsonl"
    rows = [
        line if isinstance(line, bytes) else json.dumps({"text": line}).encode() for line in lines
    ]
    path.write_bytes(b"".join(row + b"\n" for row in rows))
    (unit,) = plan([str(path)]).units
    return unit._replace(uid=uid)


def clean_texts(job: Job, units, settings: CurateSettings) -> None:
    """Clean units given as lists of texts, by number."""
    for uid, texts in enumerate(units):
        clean_unit(write_unit(job.run.parent / "corpus", texts, uid), settings, job)


def read_cleaned(job: Job, uid: int) -> pa.Table:
    """Return the cleaned documents of a unit (CLEANED)."""
    with pa.OSFile(str(job.work.cleaned[uid])) as file:
        return pa.ipc.open_file(file).read_all()
