"""Kernels: clusters of more links than one process holds, by rounds of star contraction.

The half-edges that round N works on are files in the work folder, one for each part of the nodes;
see `dedupe.stars`. A part that is done is skipped when the run goes on.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.curate.cluster import LINKS, MEMBER_FILES, list_fingerprints
from pipelines.dedupe.stars import (
    PEAK_BYTES,
    contract,
    count_unfinished,
    cut_range,
    list_half_edges,
    list_labels,
    merge_range,
)
from pipelines.dedupe.survivors import resolve
from pipelines.settings import CurateSettings, Job
from pipelines.work.arrays import load_array, save_array
from weighting.arrays import Uint64s


def count_parts(links: int, memory: int) -> int:
    """Return into how many parts to cut the nodes of so many links; each links two nodes."""
    return max(1, -(-2 * links * PEAK_BYTES // memory))


def deal_range(number: int, job: Job) -> None:
    """Write the half-edges of one range's links, for the first round."""
    path = job.work.path(_name_round(0), number, ".npy")
    if not path.exists():
        save_array(path, list_half_edges(load_array(job.work.path(LINKS, number, ".npy"))))


def contract_part(part: int, parts: int, number: int, job: Job) -> None:
    """Write what round `number` makes of a part, and how many nodes of it were unfinished."""
    path = job.work.path(_name_round(number + 1), part, ".npy")
    if not path.exists():
        halves = _read_part(part, parts, number, job)
        unfinished = np.array([count_unfinished(halves)])
        save_array(job.work.path(_name_counts(number), part, ".npy"), unfinished)
        save_array(path, contract(halves, number))


def is_finished(parts: int, number: int, job: Job) -> bool:
    """Say whether every component was a star already when round `number` began."""
    paths = (job.work.path(_name_counts(number), part, ".npy") for part in range(parts))
    return not any(int(load_array(path)[0]) for path in paths)


def cluster_part(
    part: int, parts: int, number: int, uids: Sequence[int], settings: CurateSettings, job: Job
) -> None:
    """Write the members of the clusters of a part; round `number` found all of them finished."""
    path = job.work.path(MEMBER_FILES, part, ".npy")
    if not path.exists():
        labels = list_labels(_read_part(part, parts, number, job))
        save_array(path, resolve(labels, list_fingerprints(uids, settings, job)))


def _read_part(part: int, parts: int, number: int, job: Job) -> Uint64s:
    paths = sorted((job.work.folder / _name_round(number)).glob("*.npy"))
    return merge_range([cut_range(load_array(path), part, parts) for path in paths])


def _name_round(number: int) -> str:
    return f"stars-{number:03d}"


def _name_counts(number: int) -> str:
    return f"unfinished-{number:03d}"
