"""The curate job: units of input files in; documents, dropped documents, ledger, quarantine out.

    units ─► Clean ─► Link (key ranges) ─► Cluster ─► FindPassages ─► CountPieces (hash ranges)
          ─► WriteDocuments

Each step waits for all of the one before, and only numbers travel: of units and of ranges. Text,
fingerprints and hashes stay in files of the units. A step that the settings leave out is not there.

If the estimate says that one process can cluster all links, that is one graph. Else the
links are counted first. If they are too many, rounds of star contraction follow, each a graph of
its own, because how many it takes shows only then.
"""

from collections.abc import Callable, Sequence
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
from pipelines.engine.unit_steps import OverUnits
from pipelines.readers.streams.urls import is_url
from pipelines.settings import CurateSettings, Job
from pipelines.work.units import Unit

Tick = Callable[[], None]
Kernel = Callable[..., int | None]


@dataclass(frozen=True)
class Shared:
    """What every step of the job needs."""

    settings: CurateSettings
    job: Job
    estimate: Estimate
    uids: Sequence[int]  # of all units, the largest first

    def bind(self, kernel: Kernel) -> Kernel:
        """Return a kernel of one unit that knows the settings."""
        return partial(kernel, settings=self.settings, job=self.job)

    def bind_all(self, kernel: Kernel, **numbers: int) -> Kernel:
        """Return a kernel that goes through the files of all units, told which they are."""
        return self.bind(partial(kernel, uids=self.uids, **numbers))


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
    # The runner deals elements out round-robin, before it starts: the largest come first, but
    # units of one remote file together, so that a process gets it once.
    remote = any(is_url(piece.path) for unit in units for piece in unit.slices)
    in_order = sorted(units, key=lambda unit: unit.uid if remote else -sizes[unit.uid])
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
    deal = partial(deal_range, job=job)
    run(engine, lambda p: _add(p, "Deal", range(expected.ranges), deal), tick)
    last = _contract(parts, shared, engine, tick)
    cluster = shared.bind_all(cluster_part, parts=parts, number=last)
    run(engine, lambda p: _write(p, shared, _add(p, "ClusterPart", range(parts), cluster)), tick)


def _contract(parts: int, shared: Shared, engine: Engine, tick: Tick) -> int:
    """Contract stars, a graph a round, until every component is one; return that round."""
    for number in count():
        contract = partial(contract_part, parts=parts, number=number, job=shared.job)
        wire = partial(_add, step="ContractPart", elements=range(parts), kernel=contract)
        run(engine, wire, tick)
        if is_finished(parts, number, shared.job):
            break
    return number


def _link(pipeline: beam.Pipeline, units: Sequence[Unit], shared: Shared) -> PCollection[int]:
    """Wire the steps from the units to the links between copies."""
    packed = [unit.encode() for unit in units]
    cleaned = _add(pipeline, "Clean", packed, shared.bind(_clean))
    ranges = shared.estimate.ranges
    link = shared.bind_all(link_range, ranges=ranges)
    return _add(pipeline, "Link", range(ranges), link, cleaned) if ranges else cleaned


def _clean(packed: bytes, settings: CurateSettings, job: Job) -> int:
    unit = Unit.decode(packed)
    clean_unit(unit, settings, job)
    return unit.uid


def _cluster(
    pipeline: beam.Pipeline, shared: Shared, linked: PCollection[int] | None = None
) -> PCollection[int] | None:
    """Wire the step from all links to clusters and their survivors, in one process."""
    ranges = shared.estimate.ranges  # the one element
    cluster = shared.bind_all(cluster_links)
    return _add(pipeline, "Cluster", [ranges], cluster, linked) if ranges else linked


def _write(pipeline: beam.Pipeline, shared: Shared, clustered: PCollection[int] | None) -> None:
    """Wire the steps from the clusters to the outputs."""
    done, ranges, uids = clustered, shared.estimate.piece_ranges, shared.uids
    if ranges:
        found = _add(pipeline, "FindPassages", uids, shared.bind(list_pieces), clustered)
        counting = shared.bind_all(count_pieces, ranges=ranges)
        done = _add(pipeline, "CountPieces", range(ranges), counting, found)
    _add(pipeline, "WriteDocuments", uids, shared.bind(write_unit_documents), done)


def _add(
    pipeline: beam.Pipeline,
    step: str,
    elements: Sequence[int] | Sequence[bytes],
    kernel: Kernel,
    before: PCollection[int] | None = None,
) -> PCollection[int]:
    """Add a step that runs a kernel on some elements, and waits for all of what is before."""
    sides = [] if before is None else [AsList(before)]
    given = pipeline | f"{step}Elements" >> beam.Create(elements)
    done: PCollection[int] = given | step >> beam.ParDo(OverUnits(kernel), *sides)
    return done
