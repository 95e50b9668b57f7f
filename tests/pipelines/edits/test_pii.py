"""Personal data: planted ones are found, numbers that only look like them are not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from pipelines.edits.pii import ATOM, KINDS, LETTERS, OCTET, WORD, find, find_emails, scrub
from tests.pipelines.edits.test_spans import assert_leads_back

PLANTED = {
    "email": [
        "jane.doe@mail.example-company.co.uk",
        "o'brien+lists@x.io",
        "root@[192.168.1.1]",
    ],
    "ip": [
        "52.23.22.193",
        "8.8.8.80",
        "209.85.232.121",
        "2607:f8b0:4005:805::200e",
        "2a00:1450:4001:81b:0:0:0:2003",
    ],
    "phone": [
        "+44 20 7946 0958",
        "+49 (0)30 901820",
        "+1-415-555-2671",
        "+352 26203652",
        "(801) 596-1887",
        "978-578-5300",
        "202.418-0069",
        "1-800-772-1213",
    ],
    "card": [
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "2223003122003222",
        "3782 822463 10005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "6250941006528599",
    ],
    "iban": [
        "GB82 WEST 1234 5698 7654 32",
        "DE89370400440532013000",
        "NO93 8601 1117 947",
        "MT84MALT011000012345MTLCAST001S",
    ],
}

INNOCENT = [
    "chrome 91.0.4472.124 and 1.2.3.4 and v104.2.3.4, version 64.1.2.3, Foo/64.1.2.3",
    "upgrade V8 from 4.2.77.18 to 4.2.77.20",
    "section 1.2.3.40.5, 10.0.0.1, 192.168.1.254, 127.0.0.1, 224.0.0.99, 300.1.1.99, 01.2.3.99",
    "std::vector, 12:30:45, fe80::1, ::1, 2001:db8::1, dead::beef, 2001::Foo, 2012:10:05",
    "ISBN 978-0-306-40615-7, 0-306-40615-2, ISSN 2049-3630, doi:10.1000/182",
    "2014-06-23 10:11:12, 1990-1995, 1403518272000, 20140623101112, +0200, 2020-03-04T05:06:07Z",
    "sha 656167383992836096, 9a3f5e7b1c2d4e6f8a0b, 550e8400-e29b-41d4-a716-446655440000",
    "3.14159265358979323846, 1,234,567,890, 200 300 4000, 212 555 2671, 123-456-7890, 5552671",
    "4111 1111 1111 1112, 4111-1111 1111-1111, 1234567812345670, 41111111111111111111",
    "GB82 WEST 1234 5698 7654 33, XX82 WEST 1234 5698 7654 32, AB12, USB30 1234 5678 9012",
    "npm@8.19.2, user@localhost, @handle, a@b, 5 apples @ 3.50 each, foo@, @@, .@x.org",
    "+1234567 points, 3+1415926535, C++11 2017-2020, x=+44000000000",
]


@pytest.mark.parametrize(
    ("kind", "value"), [(k, v) for k, values in PLANTED.items() for v in values]
)
@pytest.mark.parametrize("context", ["{}", "Write to {}, please.", "({})\n", "é {} AND 7 – 12"])
def test_planted_ones_are_found_whole(kind, value, context):
    text = context.format(value)
    start = text.index(value)
    assert [(item.kind, item.piece[:2]) for item in find(text, KINDS)] == [
        (kind, (start, start + len(value)))
    ]


@pytest.mark.parametrize("text", INNOCENT)
def test_what_only_looks_like_them_stays(text):
    edited, counts = scrub(text, KINDS)
    assert (edited.text, counts) == (text, {})


def compile_email(letters, edge):
    atom, label = f"[{ATOM}{letters}]", f"[A-Za-z0-9{letters}]"
    label = f"{label}(?:[A-Za-z0-9{letters}-]*{label})?"
    return re.compile(
        rf"{edge}{atom}+(?:\.{atom}+)*@(?:(?:{label}\.)+{label}"
        rf"|\[(?:{OCTET}\.){{3}}(?:{OCTET}|[A-Za-z0-9-]*[A-Za-z0-9]:)\])"
    )


REFERENCE = compile_email("", r"\b")
EDGE = rf"(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))"
EMAIL = compile_email(LETTERS, EDGE)


def find_plainly(text, compat):
    position = 0
    while match := (REFERENCE if compat else EMAIL).search(text, position):
        position = match.end()
        if not compat and match[0].rsplit(".", 1)[-1].isdigit():
            position = text.index("@", match.start()) + 1
        else:
            yield match.span()


@pytest.mark.parametrize("compat", [False, True])
@given(
    text=st.lists(
        st.sampled_from([*"ab1.@-+é'[] 中и\u0301", "x@y.z", "..", "[1.2.3.4]"]), max_size=20
    ).map("".join)
)
def test_emails_are_those_of_one_expression(compat, text):
    found = [(piece.start, piece.end) for piece in find_emails(text, compat=compat)]
    assert found == list(find_plainly(text, compat))


@pytest.mark.parametrize(
    "words", ["联系{}谢谢", "メールは{}まで", "ติดต่อ{}ครับ", "연락처{}으로", "على{}شكرا"]
)
@pytest.mark.parametrize(
    ("kind", "value"), [(k, v) for k, values in PLANTED.items() for v in values]
)
def test_words_without_blanks_hide_nothing(kind, value, words):
    text = words.format(value)
    start = text.index(value)
    assert [(item.kind, item.piece[:2]) for item in find(text, KINDS)] == [
        (kind, (start, start + len(value)))
    ]


def widen(text):
    return "".join(chr(0xFEE0 + ord(x)) if x.isalnum() or x in "+-.@" else x for x in text)


@pytest.mark.parametrize(
    ("kind", "value"), [(k, v) for k, values in PLANTED.items() for v in values if ":" not in v]
)
def test_full_width_hides_nothing(kind, value):
    text = f"電話，{widen(value)}：１２"
    edited, counts = scrub(text, KINDS)
    assert counts == {kind: 1}
    assert edited.text.startswith("電話，")
    assert edited.text.endswith("：１２")
    assert scrub(text, ["email", "ip"], compat=True)[0].text == text


@pytest.mark.parametrize(
    "address", ["jörg@web.de", "info@bücher.de", "иван@почта.рф", "nu\u0303ez@x.org"]
)
def test_addresses_have_letters_of_alphabets(address):
    edited, counts = scrub(f"Mail {address}, bitte.", ["email"])
    assert (edited.text, counts) == ("Mail email@example.com, bitte.", {"email": 1})


pieces = st.sampled_from([value for values in PLANTED.values() for value in values] + INNOCENT)
texts = st.lists(pieces | st.text("+(4 -.:@a1)\n", max_size=9), max_size=6).map(" ".join)


@given(texts, st.sets(st.sampled_from(sorted(KINDS))))
def test_scrubbing_leads_back_and_leaves_nothing(text, kinds):
    edited, counts = scrub(text, kinds)
    assert_leads_back(text, edited.text, edited.spans)
    assert counts.keys() <= kinds
    assert scrub(edited.text, kinds)[0].text == edited.text


def test_only_the_kinds_asked_for_are_replaced():
    text = "jane@corp.example.net or 52.23.22.193, (801) 596-1887, 4111111111111111, +352 26203652"
    edited, counts = scrub(text, ["email", "phone"])
    assert edited.text == "email@example.com or 52.23.22.193, [PHONE], 4111111111111111, [PHONE]"
    assert counts == {"email": 1, "phone": 2}
    everything, _ = scrub(text, KINDS)
    assert everything.text == "email@example.com or 192.0.2.1, [PHONE], [CARD], [PHONE]"
    assert scrub("2607:f8b0:4005:805::200e", ["ip"])[0].text == "2001:db8::1"
    assert scrub("DE89370400440532013000", ["iban"])[0].text == "[IBAN]"


@given(st.from_regex(r"4[0-9]{14}", fullmatch=True))
def test_a_wrong_check_digit_is_no_card(digits):
    right = digits + luhn.calc_check_digit(digits)
    wrong = digits + str((int(right[-1]) + 1) % 10)
    assert [item.kind for item in find(f"card {right}.", ["card"])] == ["card"]
    assert find(f"card {wrong}.", ["card"]) == []


@pytest.mark.parametrize(
    "unit", ["a-", "a.", "a@", "-@", "1.", "1 ", "+1 ", "A1", "GB82 ", "2001:", "(1) "]
)
def test_long_runs_take_linear_work(unit):
    """A start of something, over and over: quadratic work would outlast the time limit."""
    text = (unit * 100_000)[:200_000]
    assert len(find(text, KINDS)) <= len(text) // 4


def test_compat_finds_what_the_reference_finds():
    text = "npm@8.19.2, version 1.2.3.4, 11.2.3.4.5 and 10.0.0.1"
    found = [text[item.piece.start : item.piece.end] for item in find(text, ("email", "ip"), True)]
    assert found == ["npm@8.19.2", "1.2.3.4", "11.2.3.4"]
    assert find(text, ("email", "ip")) == []
