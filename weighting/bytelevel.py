"""The byte-level alphabet of GPT-2 style BPE: which bytes a token's characters stand for.

Byte-level BPE (Radford et al. 2019, section 2.2) writes every byte as one printable character:
the printable Latin-1 characters stand for themselves, the other 68 bytes for the characters from
U+0100 on, in order.
"""


def _build_alphabet() -> dict[str, int]:
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    alphabet = {chr(byte): byte for byte in plain}
    others = (byte for byte in range(256) if byte not in alphabet.values())
    return alphabet | {chr(0x100 + rank): byte for rank, byte in enumerate(others)}


BYTE_OF = _build_alphabet()


def to_bytes(token: str) -> bytes:
    """Return the bytes of a token; a token outside the alphabet (a special one) as UTF-8."""
    try:
        return bytes(BYTE_OF[character] for character in token)
    except KeyError:
        return token.encode()
