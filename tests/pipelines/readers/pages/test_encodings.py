import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.readers.pages.encodings import decode_page

CYRILLIC = "Чайник поёт долго, прежде чем кто-нибудь встанет. " * 4
JAPANESE = "お茶を淹れる前に、やかんがしばらく歌います。" * 4


@pytest.mark.parametrize(
    ("text", "encoding", "charset"),
    [
        ("naïve", "utf-8", None),
        ("naïve", "utf-8-sig", "latin-1"),
        ("naïve", "utf-8", "iso-8859-1"),  # a wrong label, as servers' defaults are
        ("naïve “quoted”", "cp1252", "ISO-8859-1"),
        (CYRILLIC, "cp1251", "windows-1251"),
        (CYRILLIC, "cp1251", None),
        (CYRILLIC, "koi8-r", "no-such-charset"),
        (f"<meta charset=shift_jis>{JAPANESE}", "shift_jis", None),
        (f'<meta http-equiv=a content="text/html; charset=euc-jp">{JAPANESE}', "euc-jp", None),
        (JAPANESE, "iso-2022-jp", "iso-2022-jp"),
        ("①髙島屋で～", "cp932", "shift_jis"),
        ("①日本語の一覧", "euc_jis_2004", "euc-jp"),
        ("<meta charset=euc-kr>똠방각하 펲시콜라", "cp949", None),
        ("香港嘅天氣好好，喺度", "big5hkscs", "big5"),
        ("臺灣的天氣€", "cp950", "big5"),
        ("𠀀字，今天天气很好。", "gb18030", "gb2312"),
        ("“ภาษาไทย”", "cp874", "tis-620"),
        (JAPANESE, "utf-16", None),
        (JAPANESE, "utf-16-le", "utf-16le"),
        ("", "utf-8", None),
    ],
)
def test_pages_are_decoded(text, encoding, charset):
    assert decode_page(text.encode(encoding), charset) == text


def test_a_page_cut_inside_a_character_keeps_the_rest():
    data = ("<meta charset=utf-8>" + JAPANESE).encode()[:-1]
    assert decode_page(data, "utf-8") == "<meta charset=utf-8>" + JAPANESE[:-1] + "\ufffd"


@settings(deadline=None)
@given(data=st.binary(max_size=200), charset=st.none() | st.text(max_size=8))
@example(b"\xff\xfe\x00", None)
@example(b"\x1b$B\xff", "iso-2022-jp")
def test_any_bytes_decode(data, charset):
    decode_page(data, charset).encode()
