"""URL rules against a plain reading of the reference."""

import re
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.rules.batch import Batch
from pipelines.rules.families.url import annotate, fold_host, parse_url
from pipelines.rules.own_rules import URL as RULES
from pipelines.settings import RuleSettings
from weighting.errors import AssayError

LISTS = {
    "blocked_domains": ["# domains", "bad.co.uk", "shop.good.org", "", "192.0.2.7"],
    "blocked_urls": ["http://good.org/page?id=1"],
    "hard_words": ["casino", "Bet-Now", "++"],
    "soft_words": ["cheap", "deal", "win"],
    "banned_subwords": ["xx x", "spam"],
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    for name, entries in LISTS.items():
        (folder / name).write_text("\n".join(entries))
    paths: dict[str, Any] = {name: str(folder / name) for name in LISTS}
    return RuleSettings(**paths)


def annotate_urls(urls, settings):
    metadata = [orjson.dumps({"n": 1} if url is None else {"url": url}).decode() for url in urls]
    return annotate(Batch(pa.array(["text"] * len(urls)), pa.array(metadata), settings))


parts = st.sampled_from(
    [
        "casino",
        "Casino",
        "betnow",
        "cheap",
        "deal",
        "win",
        "xxx",
        "x-xx",
        "Sp-am",
        "/",
        "-",
        "_",
        "%20",
    ]
)
urls = st.tuples(
    st.sampled_from(["http://bad.co.uk/", "https://www.bad.co.uk", "http://shop.good.org/", ""]),
    st.lists(parts | st.text(max_size=3), max_size=6).map("".join),
).map("".join)


def squeeze(text):
    return re.sub("[^a-zA-Z0-9]+", "", text).lower()


def count_plainly(url):
    words = set(re.split("[^a-zA-Z0-9]+", url))
    hard, soft, banned = (
        {squeeze(entry) for entry in LISTS[name]} - {""}
        for name in ("hard_words", "soft_words", "banned_subwords")
    )
    return {
        "url_hard_words": len(words & hard),
        "url_soft_words": len(words & soft),
        "url_banned_subwords": sum(word in squeeze(url) for word in banned),
    }


@given(st.lists(urls.filter(bool), min_size=1, max_size=5))
def test_words_are_counted_as_the_plain_reading_does(settings, addresses):
    values = annotate_urls(addresses, settings)
    assert list(values) == list(RULES)
    for i, address in enumerate(addresses):
        for rule, expected in count_plainly(address).items():
            assert values[rule][i] == expected, (rule, address)


@pytest.mark.parametrize(
    ("url", "failed"),
    [
        ("http://good.org/page", []),
        ("http://www.bad.co.uk/page", ["url_blocked_domain"]),
        ("http://bad.co.uk", ["url_blocked_domain", "url_blocked_host"]),
        ("https://shop.good.org:8080/x", ["url_blocked_host"]),
        ("http://192.0.2.7/x", ["url_blocked_host"]),
        ("http://good.org/page?id=1", ["url_blocked_url"]),
        ("http://good.org/page?id=10", []),
        ("http://good.org/the-casino", ["url_hard_words"]),
        ("http://good.org/the-casinos", []),
        ("http://good.org/cheap", []),
        ("http://good.org/cheap/cheap", []),
        ("http://good.org/cheap_deal", ["url_soft_words"]),
        ("http://good.org/no-sPa/m", ["url_banned_subwords"]),
    ],
)
def test_each_rule_drops_what_it_is_for(settings, url, failed):
    values = annotate_urls([url], settings)
    assert [rule for rule in RULES if RULES[rule].bounds.fails(values[rule])[0]] == failed


def test_without_url_or_list_there_is_no_value(settings):
    values = annotate_urls([None, "", 7, "http://bad.co.uk"], settings)
    assert np.isnan(values["url_blocked_domain"]).tolist() == [True, True, True, False]
    values = annotate_urls(["http://bad.co.uk/casino"], RuleSettings())
    assert all(np.isnan(column).all() for column in values.values())


def test_an_empty_list_blocks_nothing(tmp_path):
    path = tmp_path / "list"
    path.write_text("# nothing yet\n\n")
    settings = RuleSettings(hard_words=str(path), banned_subwords=str(path))
    values = annotate_urls(["http://good.org/"], settings)
    assert values["url_hard_words"].tolist() == [0]
    assert values["url_banned_subwords"].tolist() == [0]


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), (b"\xff", "UTF-8")])
def test_an_unreadable_list_is_named(tmp_path, content, reason):
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AssayError, match=f"soft_words: .*words.txt .*{reason}"):
        annotate_urls(["http://x.org"], RuleSettings(soft_words=str(path)))


@given(st.text(max_size=30))
def test_any_text_can_be_read_as_a_url(text):
    url = parse_url("http://" + text)
    assert url.host.endswith(url.domain)


SPELLINGS = [
    "bücher.de",
    "BÜCHER.de",
    "bu\u0308cher.de",
    "xn--bcher-kva.de",
    "XN--BCHER-KVA.DE",
    "www.bücher。de",
]


@pytest.mark.parametrize("listed", SPELLINGS[:5])
def test_spellings_of_one_host_are_one(tmp_path, listed):
    (tmp_path / "list").write_text(f"{listed}\nсайт.рф\nUPPER.org\n", encoding="utf-8")
    settings = RuleSettings(blocked_domains=str(tmp_path / "list"))
    others = [
        "xn--80aswg.xn--p1ai",
        "upper.org:80",
        "bucher.de",
        "bücher.de.org",
        "ok.org/bücher.de",
    ]
    found = annotate_urls([f"https://{host}/a" for host in SPELLINGS + others], settings)
    assert found["url_blocked_domain"].tolist() == [1] * 6 + [1, 1, 0, 0, 0]


@given(st.text(max_size=20))
def test_any_host_can_be_folded(host):
    folded = fold_host(host)
    assert fold_host(folded) == folded
    if host.isascii():
        assert folded == host.lower()
