"""The tokens of a unit, as tokenizing leaves them for all later steps."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pipelines.settings import Job
from weighting.arrays import Bools, Int32s, Int64s, Uint32s
from weighting.signals.token_types import Types


class Documents(NamedTuple):
    """A unit's tokens: D documents, N tokens, each document's end-of-text token included.

    `places` are those of the documents, by number, whose text its tokens' bytes do not spell; see
    `pipelines.tokenize.places`.
    """

    doc_ids: pa.StringArray
    sources: pa.StringArray
    train_D: Bools
    ids_N: Uint32s
    offsets_D1: Int64s
    places: Mapping[int, Int32s] = MappingProxyType({})

    def spread(self, values_D: Bools) -> Bools:
        """Return a per-document value for each token."""
        return np.repeat(values_D, np.diff(self.offsets_D1))


def load_tokens(job: Job, uid: int) -> Documents:
    """Read back what `tokenize_unit` wrote, memory-mapped."""
    reader = pa.ipc.open_file(pa.memory_map(str(job.work.tokens[uid])))
    batch = reader.get_batch(0)
    ids, places = batch.column("input_ids"), batch.column("char_start")
    return Documents(
        doc_ids=batch.column("doc_id"),
        sources=batch.column("source"),
        train_D=batch.column("train").to_numpy(zero_copy_only=False),
        ids_N=ids.flatten().to_numpy(),
        offsets_D1=ids.offsets.to_numpy().astype(np.int64),
        places={
            number: places[number].values.to_numpy()
            for number in np.flatnonzero(places.is_valid()).tolist()
        },
    )


def load_types(job: Job, eos_id: int) -> Types:
    """Return what was counted of the types, once all units are counted."""
    train_V, _, holders_V = job.work.type_counts.load()
    return Types(train_V, holders_V, int(train_V[eos_id]))
