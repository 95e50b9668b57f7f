"""The cleanest documents of a run, as shards to train its reference model on.

A document is the cleaner the fewer published bounds of rules it fails, enforced or not; ties are
broken by its id. Those that hold part of an evaluation item are left out. Validation documents all
go into the validation shards: training is watched on them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.dedupe.quality import measure_quality
from pipelines.rules.registry import RULES
from pipelines.rules.rule import list_bounds
from pipelines.score.score_unit import name_part
from pipelines.settings import Job
from pipelines.tokenize.tokens import Documents, load_tokens
from weighting.arrays import Bools
from weighting.contracts.documents import Verdict, write_table
from weighting.contracts.halves import is_of_half
from weighting.contracts.shards import ShardInfo, Tokens, write_shard
from weighting.contracts.splits import HALVES, SPLITS, TRAIN
from weighting.vocabulary import Vocabulary

DOCUMENTS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("failed", pa.int64(), nullable=False),  # published bounds
        pa.field("tokens", pa.int64(), nullable=False),
    ]
)


def write_cleanest(
    uids: Sequence[int], share: float, vocabulary: Vocabulary, tokenizer_sha256: str, job: Job
) -> dict[str, Any]:
    """Write RUN/reference/documents.parquet and temporary shards; return what was chosen.

    `share` is of the train split's tokens. All weights are 1.
    """
    chosen = choose_cleanest(_list_candidates(uids, job), share)
    write_table(_locate_choice(job), chosen, DOCUMENTS)
    wanted = pa.array(chosen["doc_id"].combine_chunks())
    for uid in uids:
        documents = load_tokens(job, uid)
        picked_D = pc.is_in(documents.doc_ids, wanted).to_numpy(zero_copy_only=False)
        for split in SPLITS:
            of_split_D = picked_D if split == TRAIN else ~documents.train_D
            info = ShardInfo(
                tokenizer_sha256, vocabulary.vocab_size, vocabulary.eos_id, split, "uniform"
            )
            if of_split_D.any():
                path = locate_shards(job) / f"{name_part(split, uid)}.arrow"
                write_shard(path, info, [_choose(documents, of_split_D)])
    failed = chosen["failed"]
    return {
        "documents": len(chosen),
        "tokens": int(pc.sum(chosen["tokens"]).as_py() or 0),
        "most_failed": int(pc.max(failed).as_py() or 0),
    }


def locate_shards(job: Job) -> Path:
    """Return the folder of the temporary shards."""
    return job.work.reference


def choose_cleanest(candidates: pa.Table, share: float) -> pa.Table:
    """Return the documents (DOCUMENTS) that come first and hold at most `share` of the tokens."""
    ids = [int(i[-16:], 16) for i in candidates["doc_id"].to_pylist()]
    order = np.lexsort((np.array(ids, np.uint64), candidates["failed"].to_numpy()))
    sizes = candidates["tokens"].to_numpy()[order]
    return candidates.take(order[np.cumsum(sizes) <= share * sizes.sum()])


def count_halves(job: Job) -> dict[str, dict[str, int]]:
    """Return how many of the chosen documents, and of their tokens, are of each half."""
    chosen = pq.read_table(_locate_choice(job))
    ids, tokens_D = chosen["doc_id"].to_pylist(), chosen["tokens"].to_numpy()
    of_half = {half: is_of_half(ids, half) for half in HALVES}
    return {
        half: {"documents": int(of_D.sum()), "tokens": int(tokens_D[of_D].sum())}
        for half, of_D in of_half.items()
    }


def _locate_choice(job: Job) -> Path:
    return job.run / "reference" / "documents.parquet"


def _list_candidates(uids: Sequence[int], job: Job) -> pa.Table:
    """Return the train documents without evaluation items (DOCUMENTS)."""
    bounds = list_bounds(RULES)
    parts = [DOCUMENTS.empty_table()]
    for uid in uids:
        ledger = pq.read_table(
            job.output("ledger", uid, ".parquet"),
            columns=["doc_id", "verdict", "split", "tokens", *bounds],
        )
        kept = pc.and_(
            pc.equal(ledger["verdict"], Verdict.KEPT.value), pc.equal(ledger["split"], TRAIN)
        )
        clean = pc.invert(pc.is_in(ledger["doc_id"], _list_contaminated(uid, job)))
        for batch in ledger.filter(pc.and_(kept, clean)).to_batches():
            failed = -measure_quality(batch, None, bounds)
            columns = [batch.column("doc_id"), failed.astype(np.int64), batch.column("tokens")]
            parts.append(pa.table(columns, schema=DOCUMENTS))
    return pa.concat_tables(parts)


def _list_contaminated(uid: int, job: Job) -> pa.Array:
    kept = pq.read_table(
        job.output("documents", uid, ".parquet"), columns=["doc_id", "contaminated"]
    )
    marked = kept.filter(pc.greater(pc.list_value_length(kept["contaminated"]), 0))
    return pa.array(marked["doc_id"].to_pylist(), pa.string())


def _choose(documents: Documents, chosen_D: Bools) -> Tokens:
    lengths_D = np.diff(documents.offsets_D1)[chosen_D]
    ids_N = documents.ids_N[documents.spread(chosen_D)]
    return Tokens(
        documents.doc_ids.filter(pa.array(chosen_D)).to_pylist(),
        documents.sources.filter(pa.array(chosen_D)).to_pylist(),
        np.concatenate([[0], np.cumsum(lengths_D)]),
        ids_N,
        np.ones(len(ids_N), np.float32),
        np.zeros(len(ids_N), np.uint8),
    )
