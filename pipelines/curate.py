"""The curate job: units of input files in; documents, dropped documents, ledger, quarantine out.

    units ─► Clean ─► (ids) ──────────────────────────────► ┐
                 └ keys-UID on disk ─► FindCopies (P parts) ─► group by unit ─► Settle

An element is a unit's number and its description; text stays in the units' files.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import numpy as np

from pipelines.arrays import load_array
from pipelines.clean import STAGE as CLEAN
from pipelines.clean import clean_unit
from pipelines.dedupe.exact import MEMBERS, Keys, cut_keys, find_clusters
from pipelines.engine import Engine, run
from pipelines.progress import Progress
from pipelines.settings import CurateSettings, Job
from pipelines.settle import STAGE as SETTLE
from pipelines.settle import settle_unit
from pipelines.units import Unit

STAGES = (CLEAN, SETTLE)
PARTITION_BYTES = 256 * 2**20  # of keys sorted at once by one worker
BYTES_PER_KEY = 50  # KEYS, and what sorting copies


@dataclass
class Clean(beam.DoFn):
    """Read, repair, annotate and hash a unit; pass its number on."""

    settings: CurateSettings
    job: Job

    def process(self, element: tuple[int, bytes]) -> Iterator[int]:
        """Run the kernel on one unit."""
        uid, packed = element
        clean_unit(Unit.decode(packed), self.settings, self.job)
        yield uid


@dataclass
class FindCopies(beam.DoFn):
    """Sort one hash range of all units' keys; yield each unit's members of clusters."""

    job: Job
    partitions: int

    def process(self, partition: int, uids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Read this range of every unit's key file."""
        parts = [self._cut(uid, partition) for uid in sorted(uids)]
        for uid, members in find_clusters(parts).items():
            yield uid, members.tobytes()

    def _cut(self, uid: int, partition: int) -> Keys:
        keys = load_array(self.job.work.path("keys", uid, ".npy"))
        return cut_keys(keys, partition, self.partitions)


@dataclass
class Settle(beam.DoFn):
    """Write the unit's documents and ledger."""

    job: Job

    def process(self, element: tuple[int, Iterable[bytes]]) -> Iterator[int]:
        """Run the kernel on one unit and its members of clusters."""
        uid, packed = element
        settle_unit(uid, np.frombuffer(b"".join(packed), MEMBERS), self.job)
        yield uid


def curate(
    units: Sequence[Unit],
    settings: CurateSettings,
    job: Job,
    engine: Engine,
    progress: Progress | None = None,
) -> None:
    """Run the curate job. Units finished by an earlier run of the same settings are skipped."""
    size = sum(piece.size for unit in units for piece in unit.slices)
    partitions = max(1, size // 500 * BYTES_PER_KEY // PARTITION_BYTES)  # ≥ 500 bytes a document

    def build(pipeline: beam.Pipeline) -> None:
        _build(pipeline, _largest_first(units), settings, job, partitions)

    if progress is None:
        run(engine, build)
    else:
        sizes = {unit.uid: sum(piece.size for piece in unit.slices) for unit in units}
        with progress.watch(job.work, STAGES, sizes, "records") as tick:
            run(engine, build, tick)


def _build(
    pipeline: beam.Pipeline,
    units: Sequence[Unit],
    settings: CurateSettings,
    job: Job,
    partitions: int,
) -> None:
    """Wire the graph."""
    cleaned = (
        pipeline
        | "Units" >> beam.Create([(unit.uid, unit.encode()) for unit in units])
        | "Clean" >> beam.ParDo(Clean(settings, job)).with_output_types(int)
    )
    copies = (
        pipeline
        | "Partitions" >> beam.Create(range(partitions))
        | "FindCopies"
        >> beam.ParDo(FindCopies(job, partitions), beam.pvalue.AsList(cleaned)).with_output_types(
            tuple[int, bytes]
        )
    )
    alone = cleaned | "NoCopies" >> beam.Map(_pair_with_nothing).with_output_types(
        tuple[int, bytes]
    )
    _ = (
        (alone, copies)
        | beam.Flatten()
        | "ByUnit" >> beam.GroupByKey()
        | "Settle" >> beam.ParDo(Settle(job))
    )


def _pair_with_nothing(uid: int) -> tuple[int, bytes]:
    return uid, b""


def _largest_first(units: Sequence[Unit]) -> list[Unit]:
    """Order units by falling size: the runner deals them out round-robin, before it starts."""
    return sorted(units, key=lambda unit: -sum(piece.size for piece in unit.slices))
