"""Kinds of rejects are words that stay the same on disk."""

from pipelines.readers.pages.extract import EXTRACTORS
from pipelines.readers.records import ReadOptions, RejectKind
from weighting.knobs import list_knobs


def test_a_kind_is_the_word_that_is_stored():
    assert len(RejectKind) == 20
    for kind in RejectKind:
        assert kind == kind.name.lower() == f"{kind}"


def test_every_option_is_a_knob_with_help():
    knobs = list_knobs(ReadOptions)
    assert list(knobs) == ["text_field", "source_field", "html", "extractor", "fields", "format"]
    assert all(one.help for _, one in knobs.values())
    assert all(f"{name} (" in knobs["extractor"][1].help for name in EXTRACTORS)
