"""What the tests of decontamination share: words, items, and what a scan of documents gives."""

from itertools import product

import pyarrow as pa

from pipelines.contamination.index import build_index
from pipelines.contamination.items import Item
from pipelines.contamination.scan import scan
from pipelines.settings import ContaminationSettings
from pipelines.text.word_hashes import list_words
from pipelines.words import Text

SYLLABLES = ["".join(letters) for letters in product("bklt", "aou")]
WORDS = ["".join(syllables) for syllables in product(SYLLABLES, repeat=3)]  # 1728 of no language
ITEM_WORDS, OTHER_WORDS = WORDS[:800], WORDS[800:]


def set_up(**fields):
    return ContaminationSettings(**fields)


def make_item(question, answer="", name="1", of="s"):
    return Item(of, name, question, (answer,) if answer else ())


def look(documents, items, index=None, **fields):
    """Return what a scan of the documents for the items gives, and the index."""
    settings = set_up(**fields)
    index = index or build_index(items, settings)
    text = Text.view(pa.array(documents, pa.string()))
    return scan(text, list_words(text, keep_numbers=True), index, settings), index


def list_spans(hits, document):
    """Return the contaminated spans of a document."""
    bounds = slice(*hits.spans.offsets_D1[document : document + 2])
    return list(
        zip(
            hits.spans.places.starts_K[bounds].tolist(),
            hits.spans.places.ends_K[bounds].tolist(),
            strict=True,
        )
    )
