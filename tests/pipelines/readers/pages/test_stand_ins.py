import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import fromstring

from pipelines.readers.pages import stand_ins
from pipelines.readers.pages.stand_ins import choose_stand_ins, put, take_out
from pipelines.readers.rows import BadRecord

DROPPED = ["\u200c", "\u200d", "\xad", "\u200f", "\u0600", "\ue000", "\u2424", "\U000e0067"]
KEPT = ["a", "é", "寺", "\u0301", "\ufe0f", "\xa0", "\u3000", "\n", "\x01", "\x85", "🍵"]


def test_only_what_trafilatura_drops_is_replaced():
    replaced = choose_stand_ins({*DROPPED, *KEPT})
    assert replaced.keys() == set(DROPPED)
    assert all(letter.isalpha() and len(letter) == 1 for letter in replaced.values())


def test_a_stand_in_is_no_character_of_the_page():
    first = choose_stand_ins({"\xad"})["\xad"]
    assert choose_stand_ins({"\xad", first})["\xad"] not in ("\xad", first)


@given(st.text(st.sampled_from([*DROPPED, "a", "寺", "\U00020000", "\U00020001"])))
def test_what_was_put_is_taken_out(text):
    tree = fromstring("<div><p></p></div>")
    tree[0].text = tree[0].tail = text
    replaced = choose_stand_ins(set(text))
    put(tree, replaced)
    found = tree[0].text or ""
    assert not set(found) & set(DROPPED)
    assert take_out(found, replaced) == take_out(tree[0].tail or "", replaced) == text


def test_comments_and_attributes_are_left():
    tree = fromstring("<div title='a\xad'>b\xad<!-- c\xad -->d\xad</div>")
    put(tree, {"\xad": "寺"})
    assert tree.get("title") == "a\xad"
    assert (tree.text, tree[0].text, tree[0].tail) == ("b寺", " c\xad ", "d寺")


def test_icons_are_left_to_be_dropped():
    tree = fromstring(
        "<p>\ue000<i class='icon'> \ue000 </i><b>\ue000</b><i class='icon'>\ue000a</i></p>"
    )
    put(tree, {"\ue000": "寺"})
    assert tree.text_content() == "寺 \ue000 寺寺a"


def test_a_page_with_more_such_characters_than_stand_ins_is_refused(monkeypatch):
    monkeypatch.setattr(stand_ins, "LETTERS", (range(0x20000, 0x20002),))
    with pytest.raises(BadRecord, match="8 different characters that trafilatura drops") as caught:
        choose_stand_ins(set(DROPPED))
    assert caught.value.error == "too_complex"
