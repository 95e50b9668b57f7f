"""Documents as flat tokens: ends, splits and counts."""

import itertools

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.tokenize.encoder import Encoded
from pipelines.tokenize.tokenize_unit import append_eos, count_types
from pipelines.tokenize.tokens import Documents

EOS = 0
id_lists = st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=6)


def encode(lists):
    ids = np.array([i for part in lists for i in part], np.uint32)
    return Encoded(ids, np.cumsum([0, *map(len, lists)]).astype(np.int64))


def documents_of(lists):
    encoded = append_eos(encode(lists), EOS)
    names = pa.array([str(i) for i in range(len(lists))], pa.string())
    return Documents(names, names, np.ones(len(lists), bool), *encoded[:2])


@given(id_lists)
def test_every_document_ends_with_one_end_of_text(lists):
    ids, offsets, *_ = append_eos(encode(lists), EOS)
    cut = [ids[a:b].tolist() for a, b in itertools.pairwise(offsets)]
    assert cut == [[*part, EOS] for part in lists]


@given(id_lists)
def test_types_are_counted_by_split_and_once_a_document(lists):
    documents = documents_of(lists)
    train_D = np.arange(len(lists)) % 3 > 0
    counts = count_types(documents._replace(train_D=train_D), 10)
    for row, wanted in zip(counts[:2], (True, False), strict=True):
        tokens = [
            i for part, t in zip(lists, train_D, strict=True) for i in [*part, EOS] if t == wanted
        ]
        assert row.tolist() == np.bincount(np.array(tokens, int), minlength=10).tolist()
    held = [i for part, t in zip(lists, train_D, strict=True) if t for i in {*part, EOS}]
    assert counts[2].tolist() == np.bincount(np.array(held, int), minlength=10).tolist()
