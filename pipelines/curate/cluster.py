"""Kernels: from fingerprints to clusters of copies, and which copy stays.

`link_range` links the documents that meet in one range of keys, `cluster_links` makes clusters of
all links and chooses the survivors, `load_members` says what became of a unit's documents.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from pipelines.curate.fingerprint import locate_fingerprints
from pipelines.dedupe.fingerprints import Fingerprints, check_compatible, publish
from pipelines.dedupe.links import find_links
from pipelines.dedupe.survivors import MEMBERS, resolve
from pipelines.dedupe.unions import Labels, find_components
from pipelines.settings import CurateSettings, Job, NearSettings
from weighting.arrays import Structs, Uint64s
from weighting.errors import AssayError

INDEX = "index"  # folder of a run with the fingerprints of its documents
PUBLISHED_FROM = 2**31  # numbers of the units of earlier runs


def list_fingerprints(
    uids: Iterable[int], settings: CurateSettings, job: Job
) -> dict[int, Fingerprints]:
    """Return the fingerprints of all units by number: the run's own, then those of earlier runs."""
    earlier = [fingerprints for run in settings.against for fingerprints in list_index(Path(run))]
    published = dict(enumerate(earlier, PUBLISHED_FROM))
    return {uid: locate_fingerprints(job, uid) for uid in sorted(uids)} | published


def list_index(run: Path) -> list[Fingerprints]:
    """Return the fingerprints that a finished run keeps of its units."""
    paths = sorted((run / INDEX).glob("documents-*.arrow"))
    return [Fingerprints(path, _name_bands(path), published=True) for path in paths]


def check_index(run: Path, near: NearSettings | None) -> None:
    """Raise AssayError unless a finished run can be compared with: it keeps an index that fits."""
    index = list_index(run)
    if not index:
        raise AssayError(f"{run}: keeps no index; curate it again with dedupe.index = true")
    for fingerprints in index:
        check_compatible(fingerprints.documents, near)


def publish_unit(uid: int, job: Job) -> None:
    """Write a unit's fingerprints, with what became of its documents, for later runs."""
    path = job.run / INDEX / f"documents-{uid:06d}.arrow"
    target = Fingerprints(path, _name_bands(path), published=True)
    publish(locate_fingerprints(job, uid), target, load_members(job, uid))


def _name_bands(documents: Path) -> Path:
    return documents.with_name(documents.name.replace("documents", "bands"))


def link_range(
    number: int, ranges: int, uids: Sequence[int], settings: CurateSettings, job: Job
) -> None:
    """Write the links between copies that meet in one range of keys, unless that is done."""
    file = job.work.links[number]
    if not file.exists():
        near = settings.dedupe.near if settings.dedupe else None
        file.save(find_links(list_fingerprints(uids, settings, job), number, ranges, near))


def count_links(ranges: int, job: Job) -> int:
    """Return how many links were found in all ranges."""
    return sum(len(links) for links in _load_links(ranges, job))


def cluster_links(ranges: int, uids: Sequence[int], settings: CurateSettings, job: Job) -> None:
    """Write the members of all clusters, found in this process, unless that is done."""
    file = job.work.members[0]
    if not file.exists():
        labels = find_components(np.concatenate(list(_load_links(ranges, job))))
        file.save(find_members(labels, uids, settings, job))


def find_members(
    labels: Labels, uids: Sequence[int], settings: CurateSettings, job: Job
) -> Structs:
    """Return the members of clusters (MEMBERS) among the documents of whole components."""
    near = settings.dedupe.near if settings.dedupe else None
    least = near.jaccard if near and near.drop == "similar" else 0.0
    return resolve(labels, list_fingerprints(uids, settings, job), least)


def _load_links(ranges: int, job: Job) -> Iterator[Uint64s]:
    return (job.work.links[number].load() for number in range(ranges))


def load_members(job: Job, uid: int) -> Structs:
    """Return the members of clusters (MEMBERS) that are documents of a unit."""
    parts = [np.empty(0, MEMBERS)]
    for file in job.work.members:
        members = file.load()
        start, end = np.searchsorted(members["unit"], [uid, uid + 1])
        parts.append(members[start:end])
    return np.concatenate(parts)
