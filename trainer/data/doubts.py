"""What is odd about a corpus that can be trained on: told once, at the start, and never in silence.

Shards that assay wrote give no cause for doubt; these are about those of other makers.
"""

from collections.abc import Iterator

import numpy as np

from trainer.data.corpus import Corpus, Stream
from trainer.data.repeats import find_repeat

TOLERANCE = 0.01  # by which a mean weight may differ from 1: less than any learning rate is told


def list_doubts(corpus: Corpus, weighted: bool) -> list[str]:
    """Return what is odd, a sentence each; means of weights only where an objective reads them."""
    means = _doubt_means(corpus) if weighted else []
    return [*means, *_doubt_ends(corpus), *_doubt_repeats(corpus)]


def _doubt_means(corpus: Corpus) -> Iterator[str]:
    mean = corpus.weight_means["train"]
    if abs(mean - 1) > TOLERANCE:
        yield (
            f"training weights average {mean:.6g}, not 1: losses and gradients are scaled with "
            f"them, as by a learning rate {mean:.6g} times as high; divide the weights by "
            f"{mean:.6g}"
        )


def _doubt_ends(corpus: Corpus) -> Iterator[str]:
    eos_id = corpus.info.eos_id
    for split, stream in corpus.streams.items():
        open_ends = sum(_count_open_ends(stream, eos_id))
        if open_ends:
            yield (
                f"{open_ends:,} of {len(stream.documents_D1) - 1:,} {split} documents do not end "
                f"with the end-of-text token {eos_id}: the first token of the next one is "
                "predicted from the last of another document"
            )


def _count_open_ends(stream: Stream, eos_id: int) -> Iterator[int]:
    for segment in stream.segments:
        last_D = segment.offsets_D1[1:][np.diff(segment.offsets_D1) > 0] - 1
        yield int(np.count_nonzero(segment.ids_N[last_D] != eos_id))


def _doubt_repeats(corpus: Corpus) -> Iterator[str]:
    if (found := find_repeat(corpus.train.parts)) is not None:
        first, second = found
        where = f"{first.path.name} and {second.path.name}"
        yield (
            f"training documents are there more than once, such as {first.doc_id} (in {where}); "
            "they count as often"
        )
