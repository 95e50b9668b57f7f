"""Documents that are there twice are found by id and tokens, whatever the files."""

import json

import pyarrow as pa
import pytest

from trainer.data.corpus import open_corpus
from trainer.data.repeats import find_leak, find_repeat
from weighting.errors import AssayError

TOKENIZER = {"tokenizer_sha256": "mine", "vocab_size": 32, "eos_id": 0}


@pytest.fixture
def write(tmp_path):
    """Write files of documents, given as id and tokens."""
    (tmp_path / "assay.json").write_text(json.dumps(TOKENIZER))

    def write(**files):
        for name, documents in files.items():
            ids = [tokens for _, tokens in documents]
            table = pa.table(
                {
                    "doc_id": [doc_id for doc_id, _ in documents],
                    "input_ids": ids,
                    "weights": [[1.0] * len(one) for one in ids],
                }
            )
            with pa.ipc.new_file(tmp_path / f"{name}.arrow", table.schema) as writer:
                writer.write_table(table)
        return str(tmp_path)

    return write


def test_a_document_of_both_splits_is_refused(write):
    folder = write(train=[("a", [1, 0]), ("b", [2, 0])], validation=[("b", [2, 0])])
    with pytest.raises(
        AssayError, match=r"document b is in both splits, in train\.arrow and valid"
    ):
        open_corpus(folder)


def test_ids_that_each_file_begins_anew_are_no_leak(write):
    folder = write(train=[("0", [1, 0]), ("1", [2, 0])], validation=[("0", [3, 0])])
    corpus = open_corpus(folder)
    assert find_leak(corpus.train.parts, corpus.validation.parts) is None
    assert find_repeat(corpus.train.parts) is None


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ([("b", [2, 0])], ("b", "train_1.arrow", "train_2.arrow")),
        ([("b", [2, 3, 0])], None),
        ([("c", [2, 0])], None),
        ([("c", [5, 0]), ("c", [5, 0])], ("c", "train_2.arrow", "train_2.arrow")),
        ([("b", []), ("b", [])], None),
    ],
)
def test_a_document_that_is_there_twice(write, second, found):
    first = [("a", [1, 0]), ("b", [2, 0])]
    folder = write(train_1=first, train_2=second, validation=[("v", [1, 0])])
    repeat = find_repeat(open_corpus(folder).train.parts)
    assert found == (repeat and (repeat[0].doc_id, *(place.path.name for place in repeat)))
