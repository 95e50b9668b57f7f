"""What a command says: to people on a console, or to programs as one JSON object.

With `--json`, standard output gets exactly one JSON object, when all is done, and everything for
people goes to standard error. A command that fails says so in the object: `error` and `exit_code`
stand in it, beside what was found out before.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.interrupt import LAST_WORDS
from flows.operations.standing import UnfinishedRun
from weighting.contracts.manifest import Manifest, read_manifest
from weighting.contracts.timings import StageTiming
from weighting.errors import Interrupted
from weighting.output import open_data_output
from weighting.storage.failures import explain
from weighting.storage.json_records import to_json

if TYPE_CHECKING:
    from rich.console import Console

VIEWS = {"report": "report.html", "database": "assay.duckdb"}


class Output:
    """Where a command's words go; `facts` become the JSON object, if one is wanted.

    `texts` become members of it as well: they are JSON already, with digits that Python would lose.
    """

    def __init__(self, as_json: bool) -> None:
        self.facts: dict[str, Any] = {}
        self.texts: dict[str, str] = {}
        self._is_wanted = as_json

    @cached_property
    def console(self) -> "Console":
        """What people read on."""
        from rich.console import Console  # slow to load, and not every command has a use for it

        return Console(stderr=self._is_wanted)

    def write(self) -> None:
        """Write the object, if it is wanted and was not written yet."""
        if self._is_wanted:
            stream = open_data_output()
            members = [_dump(self.facts)[1:-1]] if self.facts else []
            members += [f"{_dump(name)}: {text}" for name, text in self.texts.items()]
            stream.write("{" + ", ".join(members) + "}\n")
            stream.flush()
        self._is_wanted = False

    def fail(self, error: BaseException) -> None:
        """Write the object with an error in it."""
        known = explain(error)
        message = " ".join(str(known or f"{type(error).__name__}: {error}").split())
        if isinstance(known, UnfinishedRun) and known.standing:
            self.facts["unfinished"] = asdict(known.standing)
        self.facts |= {"error": message, "exit_code": known.exit_code if known else 1}
        self.write()


@contextmanager
def telling(as_json: bool) -> Iterator[Output]:
    """Yield the output of a command, and write its JSON object when the command ends."""
    output = Output(as_json)
    LAST_WORDS.append(output.fail)
    try:
        yield output
    except (Exception, Interrupted) as error:
        output.fail(error)
        raise
    finally:
        if output.fail in LAST_WORDS:
            LAST_WORDS.remove(output.fail)
    output.write()


def describe_run(run: Path) -> dict[str, Any]:
    """Return what a finished run came to, for programs: the manifest's counts, seconds and paths.

    Raises:
        AssayError: the run has no manifest.
    """
    manifest = read_manifest(run)
    counts = to_json(manifest.counts)
    rules = counts["documents"]["rules"]
    counts["documents"]["rules"] = {
        name: cost for name, cost in rules.items() if cost["failing_documents"]
    }
    for split in counts["weights"]["splits"].values():
        del split["histogram"], split["histogram_edges"]  # long, and in the database
    return {
        "run": str(run),
        "recipe": manifest.recipe.get("name"),
        **counts,
        **describe_timings(manifest),
        **{name: str(run / file) for name, file in VIEWS.items() if (run / file).exists()},
    }


def describe_timings(manifest: Manifest) -> dict[str, Any]:
    """Return what the stages of a run took, all attempts together."""
    timings = manifest.timings
    stages = {name: _sum_up(timing, timings.text) for name, timing in timings.list_stages()}
    return {
        "began": timings.began,
        "ended": timings.ended,
        "seconds": round(sum(timing.seconds for timing in timings.stages.values()), 3),
        "peak_memory": max((timing.memory for timing in timings.stages.values()), default=0),
        "peak_disk": max((timing.disk for timing in timings.stages.values()), default=0),
        "stages": stages,
    }


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _sum_up(timing: StageTiming, text: int) -> dict[str, Any]:
    return {
        "seconds": round(timing.seconds, 3),
        "attempts": len(timing.attempts),
        "mb_per_second": round(text / timing.seconds / 1e6, 3) if timing.seconds else None,
        "peak_memory": timing.memory,
        "bytes_read": timing.read,
        "bytes_written": timing.written,
        "disk": timing.disk,
    }
