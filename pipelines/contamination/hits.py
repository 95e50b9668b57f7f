"""What was found, as Arrow tables: for the weigher, and for a person to judge."""

from collections.abc import Sequence

import pyarrow as pa

from pipelines.contamination.index import ANSWER, QUESTION, VARIANTS, Index
from pipelines.contamination.scan import Hits
from weighting.contracts.documents import CONTAMINATED

PASSAGE_CHARS = 600  # of a passage that is shown; a longer one is shown in two halves
GAP = " … "

HITS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        *(VARIANTS.field(name) for name in ("set", "item")),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("question_share", pa.float64()),  # null: no n-gram is of the question alone
        pa.field("answer_share", pa.float64()),
        pa.field("start", pa.int32(), nullable=False),  # of the passage, in characters
        pa.field("end", pa.int32(), nullable=False),
        pa.field("passage", pa.string(), nullable=False),  # the document's text there, or its ends
        *(VARIANTS.field(name) for name in ("question", "answer")),
    ]
)


def tabulate_hits(
    hits: Hits, doc_ids: Sequence[str], texts: pa.StringArray, index: Index
) -> pa.Table:
    """Return the hits (HITS) with the texts of both sides; ids and texts are the D documents'."""
    documents_H = hits.pairs.documents_P.tolist()
    starts_H, ends_H = hits.places.starts_K, hits.places.ends_K
    read = {document: texts[document].as_py() for document in set(documents_H)}
    places = zip(documents_H, starts_H.tolist(), ends_H.tolist(), strict=True)
    found = index.variants.take(pa.array(hits.pairs.variants_P))
    columns = {
        "doc_id": [doc_ids[document] for document in documents_H],
        "score": hits.pairs.scores_P,
        "question_share": hits.pairs.shares_Px2[:, QUESTION],
        "answer_share": hits.pairs.shares_Px2[:, ANSWER],
        "start": starts_H,
        "end": ends_H,
        "passage": [_shorten(read[document][start:end]) for document, start, end in places],
        **{name: found[name].to_pylist() for name in ("set", "item", "question", "answer")},
    }
    arrays = [pa.array(columns[field.name], field.type, from_pandas=True) for field in HITS]
    return pa.Table.from_arrays(arrays, schema=HITS)


def list_contaminated(hits: Hits, index: Index) -> pa.ListArray:
    """Return the contaminated spans of each of D documents (CONTAMINATED), in order.

    An item is named by its set and its id, `set:id`.
    """
    found = index.variants.take(pa.array(hits.pairs.variants_P[hits.spans.hits_S]))
    names = pa.compute.binary_join_element_wise(found["set"], found["item"], ":")
    arrays = (*hits.spans.places, names.combine_chunks())
    fields = list(CONTAMINATED.value_type)
    spans = pa.StructArray.from_arrays(
        [pa.array(array, field.type) for array, field in zip(arrays, fields, strict=True)],
        fields=fields,
    )
    return pa.ListArray.from_arrays(
        pa.array(hits.spans.offsets_D1, pa.int32()), spans, type=CONTAMINATED
    )


def _shorten(passage: str) -> str:
    if len(passage) <= PASSAGE_CHARS:
        return passage
    half = (PASSAGE_CHARS - len(GAP)) // 2
    return f"{passage[:half]}{GAP}{passage[-half:]}"
