"""The curate job: units of input files in; documents, dropped documents, ledger, quarantine out.

    units ─► Clean ─► Link (key ranges) ─► Cluster ─► FindPassages ─► CountPieces (hash ranges)
          ─► WriteDocuments

Each step waits for all of the one before, and only numbers travel: of units and of ranges. Text,
fingerprints and hashes stay in files of the units. A step that the settings leave out is not there.

Where the estimate says that one process can cluster whatever may come, that is one graph. Else the
links are counted first; if they are too many, rounds of star contraction follow, each a graph of
its own, for how many it takes shows only then.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

import apache_beam as beam
from apache_beam.pvalue import AsList, PCollection

from pipelines.curate.clean import clean_unit
from pipelines.curate.cluster import cluster_links, count_links, link_range
from pipelines.curate.cluster_rounds import (
    cluster_part,
    contract_part,
    count_parts,
    deal_range,
    is_finished,
)
from pipelines.curate.decontaminate import prepare_items
from pipelines.curate.estimate import Estimate, estimate
from pipelines.curate.find_passages import count_pieces, list_pieces
from pipelines.curate.write_documents import write_unit_documents
from pipelines.engine.progress import Progress
from pipelines.engine.runner import Engine, run
from pipelines.settings import CurateSettings, Job
from pipelines.work.units import Unit

Tick = Callable[[], None]


@dataclass(frozen=True)
class Shared:
    """What every step of the job needs."""

    settings: CurateSettings
    job: Job
    estimate: Estimate
    uids: Sequence[int]  # of all units, the largest first


@dataclass
class Step(beam.DoFn):
    """A step of the job; the numbers that a step before yields are what it waits for."""

    shared: Shared


class Clean(Step):
    """Read, repair, annotate and fingerprint a unit; pass its number on."""

    def process(self, element: tuple[int, bytes]) -> Iterator[int]:
        """Run the kernel on one unit."""
        uid, packed = element
        clean_unit(Unit.decode(packed), self.shared.settings, self.shared.job)
        yield uid


class Link(Step):
    """Link the copies that meet in one range of keys."""

    def process(self, number: int, _done: Sequence[int] = ()) -> Iterator[int]:
        """Run the kernel on one range."""
        shared = self.shared
        ranges = shared.estimate.ranges
        link_range(number, ranges, shared.uids, shared.settings, shared.job)
        yield number


class Cluster(Step):
    """Make clusters of all links and choose their survivors, in one process."""

    def process(self, number: int, _done: Sequence[int] = ()) -> Iterator[int]:
        """Run the kernel."""
        shared = self.shared
        cluster_links(shared.estimate.ranges, shared.uids, shared.settings, shared.job)
        yield number


class Deal(Step):
    """Write a range's links as half-edges, for star contraction."""

    def process(self, number: int) -> Iterator[int]:
        """Run the kernel on one range."""
        deal_range(number, self.shared.job)
        yield number


@dataclass
class ContractPart(Step):
    """Contract one part of the nodes."""

    round: int
    parts: int

    def process(self, part: int) -> Iterator[int]:
        """Run the kernel on one part."""
        contract_part(part, self.parts, self.round, self.shared.job)
        yield part


@dataclass
class ClusterPart(Step):
    """Choose the survivors of a part's clusters, all of them stars when `round` began."""

    round: int
    parts: int

    def process(self, part: int) -> Iterator[int]:
        """Run the kernel on one part."""
        shared = self.shared
        cluster_part(part, self.parts, self.round, shared.uids, shared.settings, shared.job)
        yield part


class FindPassages(Step):
    """List the pieces of a unit's kept documents."""

    def process(self, uid: int, _done: Sequence[int] = ()) -> Iterator[int]:
        """Run the kernel on one unit."""
        list_pieces(uid, self.shared.settings, self.shared.job)
        yield uid


class CountPieces(Step):
    """Count the pieces in one range of hashes."""

    def process(self, number: int, _done: Sequence[int] = ()) -> Iterator[int]:
        """Run the kernel on one range."""
        shared = self.shared
        ranges = shared.estimate.piece_ranges
        count_pieces(number, ranges, shared.uids, shared.settings, shared.job)
        yield number


class WriteDocuments(Step):
    """Write the unit's documents and ledger."""

    def process(self, uid: int, _done: Sequence[int] = ()) -> Iterator[int]:
        """Run the kernel on one unit."""
        write_unit_documents(uid, self.shared.settings, self.shared.job)
        yield uid


def curate(
    units: Sequence[Unit],
    settings: CurateSettings,
    job: Job,
    engine: Engine,
    progress: Progress | None = None,
) -> None:
    """Run the curate job. What an earlier run of the same settings has finished is skipped."""
    prepare_items(settings.contamination, job)
    sizes = {unit.uid: sum(piece.size for piece in unit.slices) for unit in units}
    # The runner deals elements out round-robin, before it starts: the largest come first.
    in_order = sorted(units, key=lambda unit: -sizes[unit.uid])
    expected = estimate(units, settings)
    shared = Shared(settings, job, expected, [unit.uid for unit in in_order])
    if progress is None:
        _run(in_order, shared, engine, lambda: None)
        return
    work = job.work
    passages = (work.find_passages,) if expected.piece_ranges else ()
    with progress.watch((work.clean, *passages, work.write_documents), sizes, "records") as tick:
        _run(in_order, shared, engine, tick)


def _run(units: Sequence[Unit], shared: Shared, engine: Engine, tick: Tick) -> None:
    """Run as many graphs as it takes."""
    expected, job = shared.estimate, shared.job
    if not expected.clusters_later:
        run(engine, lambda p: _write(p, shared, _cluster(p, shared, _link(p, units, shared))), tick)
        return
    run(engine, lambda p: _link(p, units, shared), tick)
    links = count_links(expected.ranges, job)
    if links <= expected.links:
        run(engine, lambda p: _write(p, shared, _cluster(p, shared)), tick)
        return
    parts = count_parts(links, expected.memory)
    run(engine, lambda p: _add(p, range(expected.ranges), Deal(shared)), tick)
    for number in count():
        step = ContractPart(shared, number, parts)
        run(engine, partial(_add, elements=range(parts), step=step), tick)
        if is_finished(parts, number, job):
            break
    last = ClusterPart(shared, number, parts)
    run(engine, lambda p: _write(p, shared, _add(p, range(parts), last)), tick)


def _link(pipeline: beam.Pipeline, units: Sequence[Unit], shared: Shared) -> PCollection[int]:
    """Wire the steps from the units to the links between copies."""
    cleaned = _add(pipeline, [(unit.uid, unit.encode()) for unit in units], Clean(shared))
    ranges = shared.estimate.ranges
    return _add(pipeline, range(ranges), Link(shared), cleaned) if ranges else cleaned


def _cluster(
    pipeline: beam.Pipeline, shared: Shared, linked: PCollection[int] | None = None
) -> PCollection[int] | None:
    return _add(pipeline, [0], Cluster(shared), linked) if shared.estimate.ranges else linked


def _write(pipeline: beam.Pipeline, shared: Shared, clustered: PCollection[int] | None) -> None:
    """Wire the steps from the clusters to the outputs."""
    done, ranges = clustered, shared.estimate.piece_ranges
    if ranges:
        listed = _add(pipeline, shared.uids, FindPassages(shared), clustered)
        done = _add(pipeline, range(ranges), CountPieces(shared), listed)
    _add(pipeline, shared.uids, WriteDocuments(shared), done)


def _add(
    pipeline: beam.Pipeline,
    elements: Sequence[int] | Sequence[tuple[int, bytes]],
    step: Step,
    before: PCollection[int] | None = None,
) -> PCollection[int]:
    """Add a step over some elements, which waits for all of what is before."""
    name = type(step).__name__
    sides = [] if before is None else [AsList(before)]
    given = pipeline | f"{name}Elements" >> beam.Create(elements)
    done: PCollection[int] = given | name >> beam.ParDo(step, *sides).with_output_types(int)
    return done
