from pipelines.readers.pages.page_header import describe_page

PAGE = """<!DOCTYPE html><html lang="en-GB"><head><title> On
 tea </title></head><body><svg><title>Cup</title></svg>Tea</body></html>"""


def test_a_page_is_described_by_what_it_states():
    assert describe_page(PAGE) == {"title": "On tea", "language": "en-GB"}
    assert describe_page("<html lang=''><title> </title>") == {}
    assert describe_page("") == {}


def test_the_language_of_xhtml_counts():
    page = '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="ja"><title>茶</title>'
    assert describe_page(page) == {"title": "茶", "language": "ja"}
    assert describe_page('<html lang="fr" xml:lang="ja">') == {"language": "fr"}
