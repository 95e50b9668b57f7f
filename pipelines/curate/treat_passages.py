"""Kernel: mark the repeated passages of kept documents, or delete those that others own."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.curate.find_passages import rank_documents
from pipelines.dedupe.cuts import delete
from pipelines.dedupe.passages import find_pieces, mark, to_arrow
from pipelines.dedupe.repeats import look_up
from pipelines.edits.spans import Edited, compose, from_arrow, map_ends, map_starts
from pipelines.edits.spans import to_arrow as pack_spans
from pipelines.settings import CurateSettings, PassageSettings
from pipelines.words import Text
from weighting.arrays import Int32s, Int64s, Uint64s
from weighting.contracts.documents import CONTAMINATED, DOCUMENTS

INVERSE = [2, 3, 0, 1]  # columns of a map from the source to the edited text


def treat_passages(
    kept: pa.Table, repeats: Uint64s, wanted: PassageSettings, settings: CurateSettings
) -> pa.Table:
    """Return kept documents (DOCUMENTS) with their passages marked, or without others' passages.

    `repeats` are what the documents' unit holds of all that is repeated
    (`find_passages.load_repeats`).
    """
    texts = kept["text"].combine_chunks()
    text = Text.view(texts)
    pieces = find_pieces(text, wanted)
    found = look_up(pieces.keys_M, repeats)
    if not wanted.delete:
        return _replace(kept, passages=to_arrow(mark(text, pieces, found[0])))
    edited = delete(texts, pieces, found, rank_documents(kept, settings))
    edits = kept["edits"].combine_chunks()
    spans = [
        compose(before, one.spans) for before, one in zip(from_arrow(edits), edited, strict=True)
    ]
    return _replace(
        kept,
        text=pa.array([one.text for one in edited], pa.string()),
        edits=pack_spans(spans),
        contaminated=_move(kept["contaminated"].combine_chunks(), edited),
    )


def _replace(table: pa.Table, **columns: pa.Array) -> pa.Table:
    names = DOCUMENTS.names
    return pa.table([columns.get(name, table[name]) for name in names], schema=DOCUMENTS)


def _move(contaminated: pa.ListArray, edited: list[Edited]) -> pa.ListArray:
    """Return where contaminated characters lie after a deletion, without those that are gone."""
    spans = contaminated.flatten()
    starts, ends = (spans.field(side).to_numpy().astype(np.int64) for side in ("start", "end"))
    moved = np.stack([starts, ends])
    counts = pc.list_value_length(contaminated).to_numpy()
    for one, (first, last) in zip(edited, pairwise([0, *np.cumsum(counts).tolist()]), strict=True):
        if last > first and len(one.spans):
            moved[:, first:last] = _map_back(one.spans, starts[first:last], ends[first:last])
    left = moved[0] < moved[1]
    offsets = np.append(0, np.cumsum(left))[np.append(0, np.cumsum(counts))]
    columns = [moved[0][left], moved[1][left], spans.field("item").filter(pa.array(left))]
    fields = list(CONTAMINATED.value_type)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)]
    structs = pa.StructArray.from_arrays(arrays, fields=fields)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, type=CONTAMINATED)


def _map_back(spans: Int32s, starts: Int64s, ends: Int64s) -> Int64s:
    inverse = spans[:, INVERSE]
    return np.stack([map_starts(inverse, starts), map_ends(inverse, ends)])
