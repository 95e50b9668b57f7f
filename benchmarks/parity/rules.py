"""Every rule's decision against datatrove's, on every document of a corpus.

python -m benchmarks.parity.rules CORPUS... [--english] [--rules=A,B]   CORPUS as for `assay curate`

One filter of datatrove is made for each rule, with its other rules off and its own word tokenizer,
so that no rule hides behind an earlier one. Ours run with `compat`, once with C4's terminal
punctuation rule and once, as FineWeb has it, without. The lists that URL, bad-word and unigram
rules need are made here: of words of the documents. `--english` leaves out the records whose `lang`
names another language.
"""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4BadWordsFilter,
    C4ParagraphFilter,
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    UnigramLogProbFilter,
    URLFilter,
)
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.formatters import PIIFormatter, SymbolLinesFormatter
from rich.console import Console
from rich.table import Table
from tldextract import TLDExtract

from pipelines.edits.pii import find
from pipelines.edits.symbols import remove_symbol_lines
from pipelines.readers.read import read_records
from pipelines.rules.batch import Batch
from pipelines.rules.bounds import Bounds
from pipelines.rules.families import bad_words, c4, fineweb, gopher, repetition, unigram, url
from pipelines.rules.registry import OWN
from pipelines.rules.rule import list_bounds
from pipelines.settings import RuleSettings

BATCH = 64
OURS = (gopher, repetition, c4, fineweb, url, bad_words, unigram)
# Stand-ins for the lists that users bring, so that every URL and word rule drops something.
LISTS = {
    "bad_words": ("hell", "damn", "bloody", "kill", "drunk", "dead body", "naïve", "c++"),
    "blocked_domains": ("kafka.apache.org", "gutenberg.org", "wikipedia.org"),
    "blocked_urls": (
        "https://beer.stackexchange.com/q/1",
        "https://www.gutenberg.org/ebooks/16215",
    ),
    "hard_words": ("emma", "quickstart"),
    "soft_words": ("openstax", "books", "ebooks", "org", "q"),
    "banned_subwords": ("psych", "hardy", "streams"),
}
UNIGRAM_BOUND = -16
BOUNDS = {
    rule: bounds for family in OWN.values() for rule, bounds in list_bounds(family.rules).items()
} | {
    "c4_bad_words": Bounds(None, 0),
    "unigram_log_probability": Bounds(UNIGRAM_BOUND, None),
}
FAILURES = ("empty", "ZeroDivisionError", "IndexError")
EDITS = ("symbol lines, text left", "pii e-mail found", "pii IP found")
Example = tuple[str, str, str]
COUNTS = {"the": 500, "of": 300, "and": 280, "to": 250, "a": 240, "in": 230, "is": 100, ".": 400}
OFF_QUALITY = dict.fromkeys(
    (
        "min_doc_words",
        "max_doc_words",
        "min_avg_word_length",
        "max_avg_word_length",
        "max_symbol_word_ratio",
        "max_bullet_lines_ratio",
        "max_ellipsis_lines_ratio",
        "max_non_alpha_words_ratio",
        "min_stop_words",
    )
)
OFF_REPETITION = dict.fromkeys(
    ("dup_line_frac", "dup_para_frac", "dup_line_char_frac", "dup_para_char_frac")
) | {"top_n_grams": (), "dup_n_grams": ()}
OFF_C4 = {
    "min_num_sentences": -1,
    "filter_lorem_ipsum": False,
    "filter_curly_bracket": False,
}
OFF_FINEWEB = {
    "line_punct_thr": 0,
    "short_line_thr": 2,
    "char_duplicates_ratio": 2,
    "new_line_ratio": 1e9,
}
# Reasons of the filters, where one setting turns on two rules.
REASONS = {
    "gopher_hashes": "gopher_too_many_hashes",
    "gopher_ellipses": "gopher_too_many_ellipsis",
}


class Unigrams(UnigramLogProbFilter):
    """datatrove's filter with our counts in place of a file that it fetches."""

    def get_frequencies(self) -> dict[str, float]:
        """Return the frequencies of words."""
        return {word: count / sum(COUNTS.values()) for word, count in COUNTS.items()}


class BadWords(C4BadWordsFilter):
    """datatrove's filter with our list in place of a file that it fetches."""

    def _get_badwords(self, _language: str) -> re.Pattern[str]:
        words = "|".join(map(re.escape, LISTS["bad_words"]))
        return re.compile(rf"(?:\W|^)({words})(?:\W|$)")


@cache
def write_lists() -> RuleSettings:
    """Write LISTS and COUNTS to files, and return the settings that name them."""
    folder = Path(tempfile.mkdtemp())
    paths = {name: folder / name for name in (*LISTS, "unigrams")}
    for name, lines in LISTS.items():
        paths[name].write_text("\n".join(lines), encoding="utf-8")
    rows = "".join(f"{word},{count}\n" for word, count in COUNTS.items())
    paths["unigrams"].write_text(f"word,count\n{rows}", encoding="utf-8")
    named: dict[str, Any] = {name: str(path) for name, path in paths.items()}
    named["bad_words"] = {"en": named["bad_words"]}
    return RuleSettings(compat=True, **named)


def make_url_filter() -> URLFilter:
    """Return datatrove's URL filter with our lists, and the suffixes that tldextract ships."""
    filter_ = URLFilter(
        use_integrated_lists=False,
        extra_domains=LISTS["blocked_domains"],
        extra_urls=LISTS["blocked_urls"],
        banned_words=LISTS["hard_words"],
        soft_banned_words=LISTS["soft_words"],
        banned_subwords=LISTS["banned_subwords"],
    )
    filter_.tldextractor = TLDExtract(suffix_list_urls=(), cache_dir=None)
    return filter_


@cache
def make_filters() -> Mapping[str, BaseFilter]:
    """Return one filter of datatrove for each rule, by the rule's name."""

    def quality(**on: float) -> BaseFilter:
        return GopherQualityFilter(**(OFF_QUALITY | on))

    def repeated(**on: object) -> BaseFilter:
        return GopherRepetitionFilter(**(OFF_REPETITION | on))

    def page(terminal: bool, **on: object) -> BaseFilter:
        return C4QualityFilter(filter_no_terminal_punct=terminal, **(OFF_C4 | on))

    def lines(**on: float) -> BaseFilter:
        return FineWebQualityFilter(**(OFF_FINEWEB | on))

    return {
        "gopher_words": quality(min_doc_words=50, max_doc_words=100_000),
        "gopher_mean_word_length": quality(min_avg_word_length=3, max_avg_word_length=10),
        "gopher_hashes": quality(max_symbol_word_ratio=0.1),
        "gopher_ellipses": quality(max_symbol_word_ratio=0.1),
        "gopher_bullet_lines": quality(max_bullet_lines_ratio=0.9),
        "gopher_ellipsis_lines": quality(max_ellipsis_lines_ratio=0.3),
        "gopher_alphabetic": quality(max_non_alpha_words_ratio=0.8),
        "gopher_stop_words": quality(min_stop_words=2),
        "gopher_dup_paragraphs": repeated(dup_para_frac=0.3),
        "gopher_dup_paragraph_chars": repeated(dup_para_char_frac=0.2),
        "gopher_dup_lines": repeated(dup_line_frac=0.3),
        "gopher_dup_line_chars": repeated(dup_line_char_frac=0.2),
        **{
            f"gopher_top_{n}gram": repeated(top_n_grams=((n, share),))
            for n, share in ((2, 0.2), (3, 0.18), (4, 0.16))
        },
        **{
            f"gopher_dup_{n}gram": repeated(dup_n_grams=((n, 0.2 - n / 100),)) for n in range(5, 11)
        },
        "fineweb_line_punctuation": lines(line_punct_thr=0.12),
        "fineweb_short_lines": lines(short_line_thr=0.67),
        "fineweb_dup_line_chars": lines(char_duplicates_ratio=0.01),
        "fineweb_newlines": lines(new_line_ratio=0.3),
        "c4_paragraphs": C4ParagraphFilter(),
        "c4_lorem_ipsum": page(True, filter_lorem_ipsum=True),
        "c4_curly_brackets": page(True, filter_curly_bracket=True),
        "c4_sentences": page(True, min_num_sentences=5),
        "c4_lorem_ipsum, any line end": page(False, filter_lorem_ipsum=True),
        "c4_curly_brackets, any line end": page(False, filter_curly_bracket=True),
        "c4_sentences, any line end": page(False, min_num_sentences=5),
        "c4_bad_words": BadWords(),
        "unigram_log_probability": Unigrams(logprobs_threshold=UNIGRAM_BOUND),
        "url": make_url_filter(),
        "c4 text left": page(True),
        "c4 text left, any line end": page(False),
    }


def judge_theirs(rule: str, text: str, metadata: Mapping[str, object]) -> object:
    """Return whether datatrove drops a text by a rule, or the text that a filter leaves.

    Where the filter fails on the text, the error's name; "empty" where it drops it for that.
    """
    document = Document(text=text, id="", metadata=dict(metadata))
    try:
        verdict = make_filters()[rule].filter(document)
    except (ZeroDivisionError, IndexError) as error:
        return type(error).__name__
    if "text left" in rule:
        return document.text
    kept, reason = verdict if isinstance(verdict, tuple) else (verdict, "dropped")
    reason = None if kept else reason
    if reason == "empty":
        return "empty"
    return reason == REASONS[rule] if rule in REASONS else reason is not None


def judge_ours(texts: list[str], metadata: list[str]) -> dict[str, list[object]]:
    """Return what this project makes of texts, by the names of `make_filters`."""
    columns = pa.array(texts, pa.string()), pa.array(metadata, pa.string())
    decisions: dict[str, list[object]] = {}
    for suffix, terminal in (("", True), (", any line end", False)):
        batch = Batch(*columns, replace(write_lists(), terminal_punctuation=terminal))
        for family in OURS:
            for rule, values in family.annotate(batch).items():
                decisions[rule + suffix] = BOUNDS[rule].fails(values).tolist()
        decisions["c4 text left" + suffix] = batch.line_cut.texts_D.to_pylist()
    by_url = (decisions[rule] for rule in OWN["url"].rules)
    decisions["url"] = [any(of_text) for of_text in zip(*by_url, strict=True)]
    return decisions


def compare(
    rules: list[str], records: list[tuple[str, str]]
) -> tuple[Counter[tuple[str, str]], list[Example]]:
    """Count by rule how texts were judged; list the texts judged differently."""
    ours = judge_ours(*map(list, zip(*records, strict=True)))
    counts: Counter[tuple[str, str]] = Counter()
    examples = []
    for at, (text, metadata) in enumerate(records):
        fields = orjson.loads(metadata)
        # A page of language X is judged by a list of language X, and there is only one here.
        fields.pop("language", None)
        for rule in rules:
            if rule == "url" and not fields.get("url"):
                continue
            theirs = judge_theirs(rule, text, fields)
            if theirs in FAILURES:
                counts[rule, str(theirs)] += 1
                continue
            counts[rule, "equal" if theirs == ours[rule][at] else "different"] += 1
            counts[rule, "dropped"] += theirs is True
            if theirs != ours[rule][at]:
                examples.append((rule, str(theirs)[:200], text))
        compare_edits(text, counts, examples)
    return counts, examples


def compare_edits(text: str, counts: Counter[tuple[str, str]], examples: list[Example]) -> None:
    """Compare symbol lines, and whether there are e-mail and IPv4 addresses, in one text.

    Where no line goes, the reference still rewrites line ends: that much is left out.
    """
    theirs, ours = SymbolLinesFormatter().format(text), remove_symbol_lines(text).text
    if ours == text:
        ours = "\n".join(text.splitlines())
    found = {item.kind for item in find(text, ("email", "ip"), compat=True)}
    email = PIIFormatter(remove_ips=False).format(text) != text
    ip = PIIFormatter(remove_emails=False).format(text) != text
    for name, same, dropped in (
        ("symbol lines, text left", theirs == ours, theirs != text),
        ("pii e-mail found", email == ("email" in found), email),
        ("pii IP found", ip == ("ip" in found), ip),
    ):
        counts[name, "equal" if same else "different"] += 1
        counts[name, "dropped"] += dropped
        if not same:
            examples.append((name, str(dropped), text))


def read_texts(paths: list[str], english: bool) -> Iterator[tuple[str, str]]:
    """Yield text and metadata of the records of a corpus."""
    for _, record in read_records(paths):
        if not (english and is_foreign(record.metadata)):
            yield record.text, record.metadata


def is_foreign(metadata: str) -> bool:
    """Say whether a record names a language that is not English."""
    return orjson.loads(metadata).get("lang", "en") not in ("en", "eng")


def batched(texts: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Cut texts into lists of BATCH."""
    texts = iter(texts)
    return iter(lambda: list(islice(texts, BATCH)), [])


def main() -> None:
    """Compare and print one row for each rule."""
    paths = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    named = [argument.partition("=")[2] for argument in sys.argv if argument.startswith("--rules=")]
    rules = named[0].split(",") if named else list(make_filters())
    english = "--english" in sys.argv
    counts: Counter[tuple[str, str]] = Counter()
    examples: list[Example] = []
    with get_context("spawn").Pool(2) as pool:
        for some, more in pool.imap_unordered(
            partial(compare, rules), batched(read_texts(paths, english))
        ):
            counts.update(some)
            examples += more[: max(0, 1000 - len(examples))]
    print_table(counts, [*rules, *EDITS])
    for rule, theirs, text in examples[:20]:
        print(f"{rule}: datatrove says {theirs!r} of {text[:160]!r} ({len(text)} characters)")


def print_table(counts: Counter[tuple[str, str]], rules: list[str]) -> None:
    """Print how many documents each rule judged alike."""
    columns = ("equal", "different", "dropped", "empty", "ZeroDivisionError", "IndexError")
    table = Table(title="decisions, and what datatrove fails on", show_edge=False)
    table.add_column("rule")
    for column in ("documents", *columns, "agreement"):
        table.add_column(column, justify="right")
    for rule in rules:
        row = {column: counts[rule, column] for column in columns}
        judged = row["equal"] + row["different"]
        everything = judged + sum(row[column] for column in columns[3:])
        share = f"{row['equal'] / judged:.4%}" if judged else "-"
        table.add_row(rule, f"{everything:,}", *(f"{n:,}" for n in row.values()), share)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
