"""The work folder, RUN/units/FINGERPRINT: temporary files of a run, each named once.

Its name carries the run's fingerprint, so that work of other settings is never taken for this
run's; it goes when the run is whole. UID is the number of a unit, RANGE that of a range of keys,
hashes or nodes, ROUND a round of star contraction, N an order of n-grams. What the files hold is
said at `WorkFolder`. Writers and readers are modules of the stage's package, unless others are
named; the summaries `STEP/UID.done.json` are also what progress bars read.

    stage     file                          written by              read by
    --------  ----------------------------  ----------------------  ----------------------------
    curate    items/                        decontaminate           decontaminate
              clean/UID.done.json           clean                   replay, verify.records
              cleaned/UID.arrow             clean                   find_passages, write_documents
              rejected/UID.json             clean                   replay, write_documents
              fingerprints/UID.arrow        clean                   cluster
              bands/UID.arrow               clean                   cluster
              links/RANGE.npy               cluster                 cluster, cluster_rounds
              half_edges/ROUND/RANGE.npy    cluster_rounds          cluster_rounds
              unfinished/ROUND/RANGE.npy    cluster_rounds          cluster_rounds
              members/RANGE.npy             cluster, cluster_rounds find_passages, write_documents
              find_passages/UID.done.json   find_passages
              pieces/UID.npy                find_passages           find_passages
              repeats/RANGE.npy             find_passages           write_documents
              write_documents/UID.done.json write_documents
    tokenize  tokenize/UID.done.json        tokenize_unit           verify.records
              tokens/UID.arrow              tokenize_unit           score_unit, reference_documents
              unit_type_counts/UID.npy      tokenize_unit           tokenize_unit
              type_counts.npy               job                     tokens, score.statistics
              ngram_keys/N/UID.npy          ngram_counts            ngram_counts
              ngram_contexts/N/RANGE.npy    ngram_counts            ngram_counts
              ngram_rows/N/RANGE.npy        ngram_counts            ngram_counts
              ngram_seldom/N/RANGE.json     ngram_counts            ngram_counts
    reference reference/                    reference_documents     the trainer
    score     score/UID.done.json           score_unit              statistics
              signals/                      score_unit              weigh.weigh_inputs
              unit_type_signals/UID.npy     score_unit              score_unit
              type_signals.npy              job                     statistics
    weigh     weigh/UID.done.json           write_shards            verify.weights
              unit_type_weights/UID.npy     write_shards            write_shards
              type_weights.npy              job                     verify.weights
              weighing.json                 job                     verify.weights

Arrays that a step hands to the next one in Beam's graph are kept by unit as well: a unit that is
done gives them from there when a run goes on.

A stage that is recorded as finished never runs again, so what its own steps alone read is of no
more use to anybody: see `SPENT`.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.weigh.shard_summary import WeighSummary
from pipelines.work.files import (
    Step,
    array,
    array_grid,
    arrays,
    files,
    folder,
    record,
    record_grid,
    records,
    step,
)
from pipelines.work.summaries import (
    CleanSummary,
    RecordSummary,
    Rejected,
    ScoreSummary,
    Seldom,
    TokenizeSummary,
)
from weighting.arrays import Int64s, Structs, Uint32s, Uint64s
from weighting.contracts.counts import WeighingFacts

# The steps of a stage that leave a summary of every unit, in the order in which they run.
STEPS: Mapping[str, Sequence[str]] = {
    "curate": ("clean", "find_passages", "write_documents"),
    "tokenize": ("tokenize",),
    "score": ("score",),
    "weigh": ("weigh",),
}
# What nobody reads any more once a stage is finished, by the table above.
SPENT: Mapping[str, Sequence[str]] = {
    "curate": (
        *("cleaned", "rejected", "fingerprints", "bands", "links", "half_edges", "unfinished"),
        *("members", "pieces", "repeats"),
    ),
    "tokenize": ("unit_type_counts", "ngram_keys"),
    "reference": ("reference",),
    "score": ("tokens", "ngram_contexts", "ngram_rows", "ngram_seldom", "unit_type_signals"),
    "weigh": ("unit_type_weights",),
}


@dataclass(frozen=True)
class WorkFolder:
    """The temporary files of a run; see the module's docstring for who writes and reads them."""

    path: Path

    items = folder()  # index of the evaluation items, see `pipelines.contamination.index`
    clean = step(CleanSummary)
    cleaned = files(".arrow")  # all documents that could be read, `pipelines.curate.clean.CLEANED`
    rejected = records(list[Rejected])
    fingerprints = files(".arrow")  # see `pipelines.dedupe.fingerprints`
    bands = files(".arrow")  # likewise
    links = arrays(Uint64s)  # [E, 2], pairs of documents that are copies
    half_edges = array_grid(Uint64s)  # [H, 2], see `pipelines.dedupe.stars`
    unfinished = array_grid(Int64s)  # [1], nodes whose component is no star yet
    members = arrays(Structs)  # `pipelines.dedupe.survivors.MEMBERS`, by unit and row
    find_passages = step(RecordSummary)
    pieces = arrays(Uint64s)  # hashes of kept documents' pieces, see `pipelines.dedupe.repeats`
    repeats = arrays(Uint64s)  # likewise: the hashes that are repeated
    write_documents = step(RecordSummary)

    tokenize = step(TokenizeSummary)
    tokens = files(".arrow")  # `pipelines.tokenize.tokens.Documents`
    unit_type_counts = arrays(Int64s)  # [3, V], see `pipelines.tokenize.tokenize_unit`
    type_counts = array(Int64s)  # [3, V], their sum
    ngram_keys = array_grid(Uint64s)  # [T], of train tokens, by slot; repeats included
    ngram_contexts = array_grid(Uint64s)  # [K], merged, see `weighting.signals.ngrams.Table`
    ngram_rows = array_grid(Uint32s)  # [K, 3], likewise
    ngram_seldom = record_grid(Seldom)

    reference = folder()  # shards that the reference model is trained on

    score = step(ScoreSummary)
    signals = folder()  # the sidecars, where the run is not to keep them
    unit_type_signals = arrays(Int64s)  # [S, V], sums of signals in units of QUANTUM
    type_signals = array(Int64s)  # [S, V], their sum

    weigh = step(WeighSummary)
    unit_type_weights = arrays(Int64s)  # [2, V], weight mass in units of 2^-20, and tokens
    type_weights = array(Int64s)  # [2, V], their sum
    weighing = record(WeighingFacts)

    def list_steps(self, stage: str) -> list[Step[Any]]:
        """Return the steps of a stage that work unit by unit, in order."""
        return [getattr(self, name) for name in STEPS.get(stage, ())]

    def drop_spent(self, stage: str) -> None:
        """Remove what nobody reads once a stage is recorded as finished, and call it only then."""
        for name in SPENT.get(stage, ()):
            shutil.rmtree(self.path / name, ignore_errors=True)  # what stays goes with the folder
