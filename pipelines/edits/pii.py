"""Replacement of personal data: e-mail addresses, public IP addresses, phone, card, IBAN numbers.

Each kind is found by a regular expression that a linear scan can follow, then checked by what the
number itself says: address ranges, numbering plans, issuers, check digits. What takes its place is
always the same and belongs to nobody: names and addresses reserved for documentation (RFC 2606,
RFC 5737, RFC 3849), a word in brackets for numbers. A replacement is never found as anything else,
so scrubbing twice changes nothing more.

Numbers in text are mostly not personal, so what is ambiguous stays: phone numbers need a + or the
North American form 415-555-2671, (415) 555-2671 or 415.555.2671; four numbers below 32 are a
version or a section rather than an IP address; Maestro's loose card numbers are not looked for.

Where words have no blanks between them, letters of the text touch what is looked for: only ASCII's
letters and digits go on with a number or an address (all expressions but the reference's are
`re.ASCII`). E-mail addresses may have letters of alphabets, as in `jörg@bücher.de`, but none of
scripts without blanks: those are the words beside it. What is written in full width, as keyboards
for Chinese and Japanese do, is read as what it stands for.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from string import ascii_letters, digits
from typing import NamedTuple

import phonenumbers
from stdnum import iban, luhn

from pipelines.edits.spans import Edited, Piece, replace

EMAIL, IPV4, IPV6 = "email@example.com", "192.0.2.1", "2001:db8::1"
PHONE, CARD, IBAN = "[PHONE]", "[CARD]", "[IBAN]"

# What a text needs for a kind to be worth looking for; all but the last cost next to nothing.
AT = re.compile("@")
DOTS = re.compile(r"\.[0-9]{1,3}\.[0-9]")
COLONS = re.compile(":[0-9A-Fa-f]{0,4}:")
PLUS = re.compile(r"\+[ (]{0,2}[1-9]")
DIGITS = re.compile("[0-9](?:(?<=[A-Z]{2}.)[0-9]|(?:[ ().-]{0,2}[0-9]){9})")

# Digits, letters and four marks in full width, each for one character of ASCII.
NARROW = {0xFEE0 + ord(one): one for one in f"{digits}{ascii_letters}+-.@"}
# Without one of these there is no personal data in full width. To look for them one by one is
# quicker than one expression for all.
WIDE = [chr(0xFEE0 + ord(one)) for one in f"{digits}@"]

GAP = re.compile(r"[^A-Z0-9]+(?=[A-Z0-9])")
VERSION_CONTEXT = 32  # characters before an address

# Look-behinds come after the first character, so that `re` can skip to that.
ATOM = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~-"
# Latin letters with what they carry, Greek and Cyrillic: RFC 6531 allows any.
LETTERS = "À-ÖØ-öø-ɏ\u0300-\u036fͰ-ԯ"
WORD = f"A-Za-z0-9_{LETTERS}"
OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
OCTETS = re.compile(rf"(?:{OCTET}\.){{3}}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)")
DOTTED = re.compile(r"[0-9](?<![\w.].)(?<!\w/.)[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?!\w|\.\w)", re.ASCII)
VERSION = re.compile(
    r"(?:version|ver|release|build|firmware|section|chapter|upgrade|update|patch|bump|§)[^;:\n]*\Z",
    re.IGNORECASE,
)
COLONED = re.compile(
    r"[23](?<![\w:.].)[0-9A-Fa-f]{3}:[0-9A-Fa-f:]{1,34}(?![\w:]|\.[0-9])", re.ASCII
)
DASH = r"[ .\-/\xa0\u2010-\u2013]"
ABROAD = re.compile(
    rf"\+(?<![\w+].) ?\(?[1-9](?:(?:{DASH}?\(|\){DASH}?|{DASH})?[0-9]){{6,16}}(?![0-9])",
    re.ASCII,
)
NORTH_AMERICAN = re.compile(
    r"[(0-9](?<![\w.+/=-].)"
    r"(?:(?<=\()[2-9][0-9]{2}\) ?|(?<=[2-9])[0-9]{2}[.-]"
    r"|(?<=1)[ .-](?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.-]))"
    r"[2-9][0-9]{2}[ .-][0-9]{4}(?![\w-]|[.,][0-9])",
    re.ASCII,
)
CARD_NUMBER = re.compile(
    r"[2-6](?<![\w.,/=+#-].)[0-9]{3}(?:[0-9]{9,15}"
    r"|([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?|([ -])[0-9]{6}\2[0-9]{4,5})"
    r"(?![\w/=-]|[.,][0-9])",
    re.ASCII,
)
ISSUER = re.compile(
    r"""
      4 (?:[0-9]{12} | [0-9]{15} | [0-9]{18})                               # Visa
    | (?:5[1-5][0-9] | 22[3-9] | 2[3-6][0-9] | 27[01])[0-9]{13}             # Mastercard
    | (?:222[1-9] | 2720)[0-9]{12}                                          # and at its edges
    | 3[47][0-9]{13}                                                        # American Express
    | 3(?:0[0-5] | [689][0-9])[0-9]{11}                                     # Diners Club
    | (?:6011[0-9] | 65[0-9]{3} | 64[4-9][0-9]{2})[0-9]{11}                 # Discover
    | 35(?:2[89] | [3-8][0-9])[0-9]{12}                                     # JCB
    | 62(?:[0-9]{14} | [0-9]{17})                                           # UnionPay
    """,
    re.VERBOSE,
)
ACCOUNT = re.compile(
    r"[A-Z](?<!\w.)[A-Z][0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)", re.ASCII
)


class Email(NamedTuple):
    """The expressions that make up one for e-mail addresses, from their @ outwards."""

    domain: re.Pattern[str]
    local_backwards: re.Pattern[str]
    edge: re.Pattern[str]  # where a local part may start


def _compile_email(letters: str, edge: str) -> Email:
    atom, label = f"{ATOM}{letters}", f"[A-Za-z0-9{letters}]++"
    label += f"(?:-++{label})*+"
    literal = rf"\[(?:{OCTET}\.){{3}}(?:{OCTET}|[A-Za-z0-9-]*[A-Za-z0-9]:)\]"
    return Email(
        re.compile(rf"@(?:(?:{label}\.)+{label}|{literal})"),
        re.compile(rf"[{atom}]+(?:\.[{atom}]+)*"),
        re.compile(f"{edge}[{atom}]"),
    )


ADDRESS = _compile_email(LETTERS, rf"(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))")
REFERENCE = _compile_email("", r"\b")


def find_emails(text: str, *, compat: bool = False) -> Iterator[Piece]:
    """Yield e-mail addresses: a dotted atom that starts at a word's edge, @, a domain or literal.

    The reference's expression, but from each @ outwards, which reads every character a bounded
    number of times. With `compat` it is the reference's own: ASCII that touches no other letter,
    and domains that end in a number, which no top-level domain does (RFC 3696): `npm@8.19.2`.
    """
    parts = REFERENCE if compat else ADDRESS
    floor = 0
    position = text.find("@")
    while position >= 0:
        domain = parts.domain.match(text, position)
        local = parts.local_backwards.match(text[floor:position][::-1]) if domain else None
        start = parts.edge.search(text, position - local.end(), position) if local else None
        floor = position + 1
        if domain and start and (compat or not domain[0].rsplit(".", 1)[-1].isdigit()):
            floor = domain.end()
            yield Piece(start.start(), floor, EMAIL)
        position = text.find("@", floor)


def find_ipv4(text: str) -> Iterator[Piece]:
    """Yield IPv4 addresses of the public internet, except those that look like a version."""
    for match in DOTTED.finditer(text):
        small = all(int(number) < 32 for number in match[0].split("."))
        before = text[max(0, match.start() - VERSION_CONTEXT) : match.start()]
        if _is_public(match[0]) and not small and not VERSION.search(before):
            yield Piece(*match.span(), IPV4)


def find_ipv4_anywhere(text: str) -> Iterator[Piece]:
    """Yield whatever can be read as a public IPv4 address, as the reference does.

    Parts of longer numbers and versions are among it.
    """
    for match in OCTETS.finditer(text):
        with suppress(ValueError):
            if ipaddress.ip_address(match[0]).is_global:
                yield Piece(*match.span(), IPV4)


def find_ipv6(text: str) -> Iterator[Piece]:
    """Yield IPv6 addresses of the public internet; only 2000::/3 is in use."""
    for match in COLONED.finditer(text):
        if _is_public(match[0]):
            yield Piece(*match.span(), IPV6)


def find_abroad(text: str) -> Iterator[Piece]:
    """Yield phone numbers with + and country code that the country's numbering plan knows."""
    for match in ABROAD.finditer(text):
        yield from _find_prefix(match, _is_phone, PHONE)


def find_north_american(text: str) -> Iterator[Piece]:
    """Yield phone numbers as North America writes them that its numbering plan knows."""
    for match in NORTH_AMERICAN.finditer(text):
        if _is_phone(match[0]):
            yield Piece(*match.span(), PHONE)


def find_cards(text: str) -> Iterator[Piece]:
    """Yield card numbers of known issuers with a right check digit (Luhn)."""
    for match in CARD_NUMBER.finditer(text):
        number = re.sub("[ -]", "", match[0])
        if ISSUER.fullmatch(number) and luhn.is_valid(number):
            yield Piece(*match.span(), CARD)


def find_ibans(text: str) -> Iterator[Piece]:
    """Yield bank account numbers (ISO 13616) with their country's form and right check digits."""
    for match in ACCOUNT.finditer(text):
        yield from _find_prefix(match, iban.is_valid, IBAN)


class Finder(NamedTuple):
    """How to find something, and what a text without it lacks."""

    needs: re.Pattern[str]
    find: Callable[[str], Iterable[Piece]]


class Found(NamedTuple):
    """Personal data in a text, and what goes in its place."""

    kind: str
    piece: Piece


KINDS: dict[str, tuple[Finder, ...]] = {
    "email": (Finder(AT, find_emails),),
    "ip": (Finder(DOTS, find_ipv4), Finder(COLONS, find_ipv6)),
    "phone": (Finder(PLUS, find_abroad), Finder(DIGITS, find_north_american)),
    "card": (Finder(DIGITS, find_cards),),
    "iban": (Finder(DIGITS, find_ibans),),
}
# With the faults of the reference, for the kinds that it has.
COMPAT = KINDS | {
    "email": (Finder(AT, partial(find_emails, compat=True)),),
    "ip": (Finder(DOTS, find_ipv4_anywhere),),
}


def find(text: str, kinds: Iterable[str], compat: bool = False) -> list[Found]:
    """Return what is found of some of `KINDS`, in order; of what overlaps, the first.

    `compat` finds e-mail and IP addresses where the reference does, right or wrong.
    """
    table = COMPAT if compat else KINDS
    if not (compat or text.isascii()) and any(mark in text for mark in WIDE):
        text = text.translate(NARROW)
    finders = [(kind, finder) for kind in kinds for finder in table[kind]]
    has = {needs: bool(needs.search(text)) for needs in {finder.needs for _, finder in finders}}
    found = [
        Found(kind, piece)
        for kind, finder in finders
        if has[finder.needs]
        for piece in finder.find(text)
    ]
    found.sort(key=lambda item: (item.piece.start, -item.piece.end))
    apart: list[Found] = []
    for item in found:
        if not apart or item.piece.start >= apart[-1].piece.end:
            apart.append(item)
    return apart


def scrub(text: str, kinds: Iterable[str], compat: bool = False) -> tuple[Edited, Counter[str]]:
    """Return the text without personal data of some of `KINDS`, and how much of each it had."""
    found = find(text, kinds, compat)
    return replace(text, [item.piece for item in found]), Counter(item.kind for item in found)


def _find_prefix(
    match: re.Match[str], is_valid: Callable[[str], bool], replacement: str
) -> Iterator[Piece]:
    """Yield the longest valid start of a match that ends where a group of characters does.

    A match takes in words and numbers that only follow: `GB82 WEST 1234 5698 7654 32 AND`.
    """
    candidate = match[0]
    ends = chain([len(candidate)], (gap.start() for gap in reversed([*GAP.finditer(candidate)])))
    for end in ends:
        if is_valid(candidate[:end]):
            yield Piece(match.start(), match.start() + end, replacement)
            return


def _is_public(number: str) -> bool:
    try:
        address = ipaddress.ip_address(number)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


def _is_phone(number: str) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, "US")))
    except phonenumbers.NumberParseException:
        return False
