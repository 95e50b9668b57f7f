"""Kernel: look for evaluation items in a batch of documents."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contamination.hits import list_contaminated, tabulate_hits
from pipelines.contamination.index import (
    VARIANTS_FILE,
    Index,
    build_index,
    open_index,
    save_index,
)
from pipelines.contamination.items import read_items
from pipelines.contamination.scan import scan
from pipelines.settings import ContaminationSettings, Job
from pipelines.text.word_hashes import list_words
from pipelines.words import Text
from weighting.arrays import Float64s
from weighting.contracts.counts import SetCounts
from weighting.contracts.documents import CONTAMINATED


class FoundItems(NamedTuple):
    """What D documents hold: the best item's score, the parts of the text, and all hits (HITS)."""

    scores_D: Float64s  # NaN where nothing is looked for
    contaminated_D: pa.ListArray  # CONTAMINATED
    hits: pa.Table | None


def prepare_items(settings: ContaminationSettings | None, job: Job) -> None:
    """Read the evaluation sets and write their index, for all workers; once a run.

    Raises:
        AssayError: a set cannot be read.
    """
    folder = job.work.items
    if settings is not None and not (folder / VARIANTS_FILE).exists():
        save_index(folder, build_index(read_items(settings.sets), settings))


def share_items(job: Job, other: Job) -> None:
    """Let another job find the index that was prepared for one, where there is any."""
    if job.work.items.exists():
        other.work.path.mkdir(parents=True, exist_ok=True)
        other.work.items.symlink_to(job.work.items.absolute())


def count_items(job: Job) -> dict[str, SetCounts]:
    """Return the number of items of each set, and of those that are too short to be found."""
    folder = job.work.items
    if not folder.exists():
        return {}
    index = open_index(folder)
    grams = pa.array(index.totals_Vx2.sum(axis=1))
    variants = index.variants.select(["set", "number"]).append_column("grams", grams)
    items = variants.group_by(["set", "number"]).aggregate([("grams", "max")])
    hidden = pc.equal(items["grams_max"], 0).cast(pa.int64())
    table = pa.table({"set": items["set"], "items": hidden}).sort_by("set")
    sets = table.group_by("set").aggregate([("items", "count"), ("items", "sum")]).to_pylist()
    return {row["set"]: SetCounts(row["items_count"], row["items_sum"]) for row in sets}


def find_items(
    doc_ids: list[str],
    texts: pa.StringArray,
    settings: ContaminationSettings | None,
    job: Job,
) -> FoundItems:
    """Return what D documents hold of the items whose index was prepared."""
    if settings is None:
        nothing = pa.array([[]] * len(texts), CONTAMINATED)
        return FoundItems(np.full(len(texts), np.nan), nothing, None)
    index = _load_index(job.work.items)
    text = Text.view(texts)
    hits = scan(text, list_words(text, keep_numbers=True), index, settings)
    table = tabulate_hits(hits, doc_ids, texts, index)
    return FoundItems(hits.scores_D, list_contaminated(hits, index), table)


@lru_cache(maxsize=1)
def _load_index(folder: Path) -> Index:
    return open_index(folder)  # no job writes the index of its folder twice
