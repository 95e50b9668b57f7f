"""What would act on a reader's screen is spelt out; what is read as it is stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighting.visible import show, show_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("a\u202egnp.exe", "a⟨U+202E⟩gnp.exe"),
        ("\x9b31m", "⟨U+009B⟩31m"),
        ("one\ntwo\tthree", "one⏎two⇥three"),
        ("\U0001f468\u200d\U0001f469 क्षि مرحبا", "\U0001f468\u200d\U0001f469 क्षि مرحبا"),
    ],
)
def test_what_acts_on_a_screen_is_spelt_out(text, shown):
    assert show(text) == shown


def test_layout_is_kept_where_it_is_wanted():
    assert show("one\n\ttwo\r", layout=True) == "one\n\ttwo␍"


@given(st.text())
def test_a_message_is_one_line_that_nothing_turns_or_hides(message):
    shown = show_line(message)
    assert len(shown.splitlines()) <= 1
    assert show(shown) == shown
    assert "\x1b" not in shown
