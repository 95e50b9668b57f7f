"""Repeated passages found the slow way, by dicts of tuples, and the same by the kernels."""

import re
from collections import defaultdict
from itertools import groupby, pairwise

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from pipelines.dedupe.passages import find_pieces, mark, to_arrow
from pipelines.dedupe.repeats import count_repeats, cut_range, look_up, pack_keys, select_all
from pipelines.settings import PassageSettings
from pipelines.text.word_hashes import list_words
from pipelines.words import Text

SETTINGS = PassageSettings(words=3, line_chars=4)
# Few words, so that much is repeated; all that may stand between two of them.
words = st.sampled_from(["a", "b", "c", "D", "é", "日本", "7", "8", "x1"])
gaps = st.sampled_from(
    [" ", " ", " ", "  ", ", ", " (", ") ", "-", "—", "\n", "\n", "\n\n", "\r\n", "\r", "\n \r\n",
     "\u2028", "\x85", "\u3000", "\t", "...", "\x1c", "\f"]
)  # fmt: skip
texts = st.lists(words | gaps, max_size=30).map("".join)
spaced = st.lists(st.tuples(words, gaps).map("".join), max_size=20).map("".join)
documents = st.lists(texts | spaced, max_size=6)


def view(texts_D):
    return Text.view(pa.array(texts_D, pa.string()))


def list_spans(text):
    """The places of a text's normalised words in characters, and what tells the words apart."""
    word_hashes, data = list_words(view([text])), text.encode()
    bounds = zip(word_hashes.starts_N.tolist(), word_hashes.ends_N.tolist(), strict=True)
    spans = [(len(data[:start].decode()), len(data[:end].decode())) for start, end in bounds]
    digits = ["".join(re.findall("[0-9]", text[start:end])) for start, end in spans]
    return spans, list(zip(word_hashes.hashes_N.tolist(), digits, strict=True))


def list_pieces(text, settings):
    """Each candidate's content with the places where a text holds it."""
    pieces = defaultdict(list)
    at, block = 0, []
    for line in [*text.splitlines(keepends=True), ""]:
        bare = line.strip()
        start = at + line.find(bare)
        if len(bare) >= settings.line_chars:
            pieces["line", bare].append((start, start + len(bare)))
        if bare:
            block.append((start, start + len(bare)))
        if not bare:
            joined = "\n".join(text[a:b] for a, b in block)
            if len(block) > 1 and len(joined) >= settings.line_chars:
                pieces["paragraph", joined].append((block[0][0], block[-1][1]))
            block = []
        at += len(line)
    spans, hashes = list_spans(text)
    for first in range(len(spans) - settings.words + 1):
        last = first + settings.words
        pieces["run", tuple(hashes[first:last])].append((spans[first][0], spans[last - 1][1]))
    return pieces


def count_holders(texts_D, settings):
    """The documents that hold each passage, where there are enough."""
    holders = defaultdict(set)
    for document, text in enumerate(texts_D):
        for key in list_pieces(text, settings):
            holders[key].add(document)
    return {key: some for key, some in holders.items() if len(some) >= settings.documents}


def mark_plainly(texts_D, settings):
    """What `mark` has to find, as Python values."""
    holders = count_holders(texts_D, settings)
    marks_D = []
    for text in texts_D:
        marks, spans = [], list_spans(text)[0]
        counts = [0] * len(spans)
        for (kind, content), places in list_pieces(text, settings).items():
            count = len(holders.get((kind, content), ()))
            for start, end in places if count else ():
                if kind == "run":
                    for word, (first, last) in enumerate(spans):
                        if start <= first and last <= end:
                            counts[word] = max(counts[word], count)
                else:
                    marks.append((start, end, kind, count))
        for count, group in groupby(range(len(spans)), counts.__getitem__):
            covered = list(group)
            if count:
                marks.append((spans[covered[0]][0], spans[covered[-1]][1], "run", count))
        marks_D.append(sorted(marks))
    return marks_D


def find(texts_D, settings, ranks_D=None, sizes=(), partitions=1):
    """What is known of the pieces of each unit; `sizes` are those of the first units."""
    edges = np.minimum(np.cumsum([0, *sizes, len(texts_D)]), len(texts_D)).tolist()
    found = []
    for start, end in pairwise(edges):
        pieces = find_pieces(view(texts_D[start:end]), settings)
        ranks = None if ranks_D is None else ranks_D[start:end]
        found.append((texts_D[start:end], pieces, pack_keys(pieces, ranks)))
    repeats = [
        count_repeats(
            [cut_range(columns, number, partitions) for _, _, columns in found], settings.documents
        )
        for number in range(partitions)
    ]
    return [
        (some, pieces, look_up(pieces.keys_M, select_all(columns, repeats)))
        for some, pieces, columns in found
    ]


def mark_all(texts_D, settings, sizes=(), partitions=1):
    """What `mark` finds, as Python values."""
    return [
        [tuple(passage.values()) for passage in document]
        for some, pieces, found in find(texts_D, settings, None, sizes, partitions)
        for document in to_arrow(mark(view(some), pieces, found[0])).to_pylist()
    ]
