"""How probable a text's words are by themselves (peS2o's rule, as datatrove reads it).

The mean natural logarithm of the probability of each lower-cased word by a table of counts from a
corpus of the user's choice. Words that are not in the table get 1e-9.
"""

import math
from functools import cache, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from pipelines.languages.writing import UNSPACED
from pipelines.rules.batch import Batch
from pipelines.rules.lists import describe_failure
from pipelines.words import split_words
from weighting.array_tools import number_groups, to_offsets
from weighting.arrays import Float64s
from weighting.errors import AssayError

UNSEEN = math.log(1e-9)
MEMO_LIMIT = 2**18  # chunks


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the mean log-probability of D documents, float64 [D]; NaN without words or table.

    NaN as well in languages without spaces: words are looked for between these.

    AssayError where the table cannot be read.
    """
    path = batch.settings.unigrams
    if path is None:
        return {"unigram_log_probability": np.full(len(batch.texts_D), np.nan)}
    # Words never span white space, so the sums of chunks are those of the text.
    chunks = pc.utf8_split_whitespace(batch.texts_D)
    encoded = chunks.flatten().dictionary_encode()
    sums_Kx2 = np.array(
        [_sum_chunk(chunk, path) for chunk in encoded.dictionary.to_pylist()], np.float64
    ).reshape(-1, 2)
    sums_Nx2 = sums_Kx2[encoded.indices.to_numpy()]
    document_N = number_groups(to_offsets(pc.list_value_length(chunks)))
    total_D, words_D = (
        np.bincount(document_N, weights=column, minlength=len(chunks)) for column in sums_Nx2.T
    )
    means_D = np.where(words_D > 0, total_D / np.maximum(words_D, 1), np.nan)
    means_D[batch.is_in(UNSPACED)] = np.nan
    return {"unigram_log_probability": means_D}


@lru_cache(MEMO_LIMIT)
def _sum_chunk(chunk: str, path: str) -> tuple[float, int]:
    """Return the sum of the log-probabilities of a chunk's words, and their number."""
    table = load_table(path)
    words = split_words(chunk)
    return math.fsum(table.get(word.lower(), UNSEEN) for word in words), len(words)


@cache
def load_table(path: str) -> dict[str, float]:
    """Return the log-probability of each word of a CSV file with the columns word and count."""
    try:
        table = csv.read_csv(
            path,
            convert_options=csv.ConvertOptions(
                column_types={"word": pa.string(), "count": pa.int64()},
                include_columns=["word", "count"],
            ),
        )
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        reason = (
            describe_failure(error) if isinstance(error, OSError) else str(error).split("\n")[0]
        )
        raise AssayError(
            f"unigrams: cannot read the table {path} ({reason}); "
            "it must be a CSV file with the columns word and count"
        ) from error
    counts = table.column("count").to_numpy()
    if not (counts > 0).all():
        raise AssayError(f"unigrams: {path} has a count that is not positive")
    logs = np.log(counts / counts.sum())
    return dict(zip(table.column("word").to_pylist(), logs.tolist(), strict=True))
