"""Unicode repair."""

import ftfy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.repair import CONFIG, repair


@pytest.mark.parametrize(
    ("broken", "repaired"),
    [
        ("schÃ¶n", "schön"),
        ("rock &amp; roll", "rock & roll"),
        ("a\x00b\x07c", "abc"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("“quotes” and ﬁ and ＡＢＣ stay\r\n", "“quotes” and ﬁ and ＡＢＣ stay\r\n"),
    ],
)
def test_what_is_repaired_and_what_is_left(broken, repaired):
    assert repair(broken) == repaired


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_cut_for_ascii_changes_nothing(text):
    assert repair(text) == ftfy.fix_text(text, CONFIG)
