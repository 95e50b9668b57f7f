"""Kernels: clusters of more links than one process holds, by rounds of star contraction.

The half-edges that round N works on are files in the work folder, one for each part of the nodes;
see `dedupe.stars`. A part that is done is skipped when the run goes on.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.curate.cluster import find_members
from pipelines.dedupe.stars import (
    PEAK_BYTES,
    contract,
    count_unfinished,
    cut_range,
    list_half_edges,
    list_labels,
    merge_range,
)
from pipelines.settings import CurateSettings, Job
from weighting.arrays import Uint64s


def count_parts(links: int, memory: int) -> int:
    """Return into how many parts to cut the nodes of so many links; each links two nodes."""
    return max(1, -(-2 * links * PEAK_BYTES // memory))


def deal_range(number: int, job: Job) -> None:
    """Write the half-edges of one range's links, for the first round."""
    file = job.work.half_edges[0][number]
    if not file.exists():
        file.save(list_half_edges(job.work.links[number].load()))


def contract_part(part: int, parts: int, number: int, job: Job) -> None:
    """Write what round `number` makes of a part, and how many nodes of it were unfinished."""
    file = job.work.half_edges[number + 1][part]
    if not file.exists():
        halves = _read_part(part, parts, number, job)
        job.work.unfinished[number][part].save(np.array([count_unfinished(halves)]))
        file.save(contract(halves, number))


def is_finished(parts: int, number: int, job: Job) -> bool:
    """Say whether every component was a star already when round `number` began."""
    return not any(int(job.work.unfinished[number][part].load()[0]) for part in range(parts))


def cluster_part(
    part: int, parts: int, number: int, uids: Sequence[int], settings: CurateSettings, job: Job
) -> None:
    """Write the members of the clusters of a part; round `number` found all of them finished."""
    file = job.work.members[part]
    if not file.exists():
        labels = list_labels(_read_part(part, parts, number, job))
        file.save(find_members(labels, uids, settings, job))


def _read_part(part: int, parts: int, number: int, job: Job) -> Uint64s:
    return merge_range(
        [cut_range(file.load(), part, parts) for file in job.work.half_edges[number]]
    )
