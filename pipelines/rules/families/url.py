"""URL rules: block lists of domains, hosts and addresses, and words in the address.

A document's URL is a field of its metadata: the one that `rule_options.url_field` names, else one
of the usual ones (`pipelines.rules.metadata.URL_FIELDS`). Without one, or without the list, there
is no value (NaN).

URLs are read as the reference reads them: words are the runs of ASCII letters and digits, case
kept, while listed words are lower-cased, so that words in capitals are not found; subwords are
looked for in all letters and digits, lower-cased and run together. Unlike there, a listed IPv4
address is found as a host, and hosts that browsers take for one are one: `Bad.org` and `bad.org`,
`bücher.de` and `xn--bcher-kva.de`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

import idna
import numpy as np
from tldextract import TLDExtract

from pipelines.rules.batch import Batch
from pipelines.rules.lists import load_list
from pipelines.rules.metadata import read_urls
from pipelines.rules.phrases import Phrases
from weighting.arrays import Float64s

Listed = TypeVar("Listed")
SEPARATOR = re.compile("[^a-zA-Z0-9]+")


class Url(NamedTuple):
    """What the rules look at."""

    address: str
    domain: str  # registered: example.co.uk
    host: str  # www.example.co.uk, or 192.0.2.1
    words: frozenset[str]
    letters: str  # and digits


def annotate(batch: Batch) -> dict[str, Float64s]:
    """Return the counts of D documents, float64 [D] each.

    AssayError where a list of the settings cannot be read.
    """
    settings = batch.settings
    found_D = read_urls(batch.metadata_D, settings.url_field)
    urls_D = [parse_url(url) if url else None for url in found_D]
    domains = _load(settings.blocked_domains, "blocked_domains", _collect_hosts)
    return {
        "url_blocked_domain": _count(urls_D, domains, lambda url, listed: url.domain in listed),
        "url_blocked_host": _count(urls_D, domains, lambda url, listed: url.host in listed),
        "url_blocked_url": _count(
            urls_D,
            _load(settings.blocked_urls, "blocked_urls", frozenset),
            lambda url, listed: url.address in listed,
        ),
        "url_hard_words": _count(
            urls_D,
            _load(settings.hard_words, "hard_words", _collect_words),
            lambda url, listed: len(url.words & listed),
        ),
        "url_soft_words": _count(
            urls_D,
            _load(settings.soft_words, "soft_words", _collect_words),
            lambda url, listed: len(url.words & listed),
        ),
        "url_banned_subwords": _count(
            urls_D,
            _load(settings.banned_subwords, "banned_subwords", _collect_phrases),
            lambda url, listed: len({word for _, word in listed.find(url.letters)}),
        ),
    }


def parse_url(address: str) -> Url:
    """Return what the rules look at; domains by the public suffix list that tldextract ships."""
    host = _extractor()(address)
    return Url(
        address,
        domain=fold_host(host.top_domain_under_public_suffix),
        host=fold_host(host.fqdn or host.ipv4),
        words=frozenset(SEPARATOR.split(address)),
        letters=_normalize(address),
    )


def fold_host(host: str) -> str:
    """Return a host as name servers know it: lower-cased, other letters than ASCII's encoded.

    By Unicode's Technical Standard 46, as browsers do; what it refuses is only lower-cased.
    """
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return host.lower()


def _count(
    urls_D: Sequence[Url | None], listed: Listed | None, count: Callable[[Url, Listed], int]
) -> Float64s:
    if listed is None:
        return np.full(len(urls_D), np.nan)
    return np.array([count(url, listed) if url else np.nan for url in urls_D], np.float64)


@cache
def _load(
    path: str | None, setting: str, collect: Callable[[Iterable[str]], Listed]
) -> Listed | None:
    return None if path is None else collect(load_list(path, setting))


def _collect_hosts(entries: Iterable[str]) -> frozenset[str]:
    return frozenset(map(fold_host, entries))


def _collect_words(entries: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_normalize, entries)) - {""}


def _collect_phrases(entries: Iterable[str]) -> Phrases:
    return Phrases(_collect_words(entries))


def _normalize(text: str) -> str:
    return SEPARATOR.sub("", text).lower()


@cache
def _extractor() -> TLDExtract:
    return TLDExtract(cache_dir=None, suffix_list_urls=())
