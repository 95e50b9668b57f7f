"""The byte-level alphabet: one character for each byte, and back."""

from hypothesis import given
from hypothesis import strategies as st

from weighting.bytelevel import BYTE_OF, to_bytes

CHARACTER_OF = {byte: character for character, byte in BYTE_OF.items()}
special = st.text(min_size=1).filter(lambda token: not set(token) <= set(BYTE_OF))


def write(data):
    return "".join(CHARACTER_OF[byte] for byte in data)


def test_every_byte_has_one_character_that_can_be_printed():
    assert sorted(BYTE_OF.values()) == list(range(256))
    assert all(character.isprintable() and not character.isspace() for character in BYTE_OF)


def test_bytes_stand_where_the_published_alphabet_has_them():
    assert write(b"Az~") == "Az~"
    assert write(b" \n\x00") == "ĠĊĀ"  # as vocabularies of GPT-2 show them


@given(st.binary())
def test_a_token_comes_back_as_its_bytes(data):
    assert to_bytes(write(data)) == data


@given(special)
def test_a_token_outside_the_alphabet_is_its_own_text(token):
    assert to_bytes(token) == token.encode()
