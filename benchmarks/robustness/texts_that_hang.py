"""The clean step on single texts of one kind each, long and twice as long.

python -m benchmarks.robustness.texts_that_hang [KIND...] [--recipes fineweb gopher c4]
                                                [--chars 100000] [--seconds 20] [--all]

A document should cost what its length says, whatever is in it. Each kind of text is filled up to so
many characters and to twice as many, and goes through the whole clean step and the search for
passages, in a process of its own that is killed after so many CPU seconds. The recipe's edits are
on, and all kinds of personal data; no rule drops a text, so that its fingerprints are taken too; an
evaluation item made of the text's own start is looked for. Prints the kinds that cost more than
linearly, or are slower than FLOOR, as Markdown; `--all` prints every kind. Exit code 1 if there are
some.
"""

import argparse
import json
import multiprocessing
import random
import resource
import string
import tempfile
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from flows.recipe.sources import load_recipe
from pipelines.curate.clean import clean_unit
from pipelines.curate.decontaminate import prepare_items
from pipelines.curate.find_passages import list_pieces
from pipelines.dedupe.survivors import MEMBERS
from pipelines.edits.pii import KINDS
from pipelines.settings import ContaminationSettings, CurateSettings, EvaluationSet, Job
from pipelines.work.folder import WorkFolder
from pipelines.work.units import plan

FLOOR = 0.1  # million characters a second; prose is cleaned at about one
GROWTH, LEAST = 2.7, 1.0  # more than linear: so many times the seconds for twice the text, if long
PIECES = {
    "one letter": "a",
    "word": "word",
    "word and blank": "word ",
    "word and line end": "word\n",
    "same line": "the same line again, and again\n",
    "blank": " ",
    "line feed": "\n",
    "carriage return": "\r",
    "tab": "\t",
    "nbsp": "\t\u00a0",
    "U+2028": "\u2028",
    "letter and U+2028": "a\u2028",
    "NUL": "\0",
    "NUL and letter": "\0a",
    "control": "\x01\x02",
    "C1": "\x85\x91",
    "escape": "\x1b[31m",
    "U+FFFD": "\ufffd",
    "U+FFFD and letter": "\ufffda",
    "soft hyphen": "a\u00ad",
    "combining": "\u0301",
    "letter and combining": "e\u0301\u0323",
    "Hebrew points": "\u05d1\u05bc\u05b7",
    "zwj": "\U0001f468\u200d",
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "skin tone": "\U0001f44d\U0001f3fd",
    "emoji": "\U0001f600",
    "flag": "\U0001f1e9\U0001f1ea",
    "RTL marks": "\u202e\u200f",
    "Han": "漢字",
    "Han and marks": "漢字、仮名。",
    "Hangul": "한국어",
    "jamo": "\u1100\u1161\u11a8",
    "Thai": "ภาษาไทย",
    "Arabic": "العربية",
    "Greek capitals": "ΟΔΟΣ ",
    "Sigma": "Σ",
    "Sigma and dot": "Σ.",
    "dotted I": "İ",
    "mojibake": "Ã©â€™",
    "mojibake and blank": "Ã©â€™ ",
    "surrogate-like": "\\ud83d",
    "http": "http://",
    "www": "www.",
    "a@": "a@",
    "a.@": "a.@",
    "mail": "a.b@c.de,",
    "mail and colon": "a:b@c.",
    "fe80": "fe80::",
    "2001": "2001:db8::1,",
    "2a00 and blank": "2a00:1450:4001::68 ",
    "hex and colon": "deadbeef:",
    "digits": "1234567890",
    "one digit": "1",
    "dotted numbers": "1.1.1.",
    "addresses": "8.8.8.8 ",
    "addresses without blank": "8.8.8.8,",
    "decimals": "1,000.00",
    "card": "4111 1111 ",
    "whole card": "4111 1111 1111 1111 ",
    "card and dash": "4111-",
    "phone": "1-555-",
    "whole phone": "+1 415 555 2671 ",
    "phone abroad": "+49 30 ",
    "plus": "+1",
    "IBAN": "DE89 3704 0044 ",
    "IBAN without blank": "DE893704",
    "entity": "&amp;",
    "entity and blank": "&amp; ",
    "doubled entity": "&amp;amp;",
    "number entity": "&#x41;",
    "half entity": "&#12",
    "tag": "<b>",
    "closing tag": "</a>",
    "markup": '<a href="x">y</a>',
    "CDATA": "]]>",
    "citation": "[1]",
    "citation needed": "[citation needed]",
    "open citation": "[1",
    "curly": "{}",
    "code": "f(x);",
    "Lisp": "((()",
    "LaTeX": "\\frac{a}{",
    "JSON": '{"a":[1,2],',
    "CSV": '"",',
    "percent code": "%20",
    "lorem": "lorem ipsum{",
    "policy": "cookie policy",
    "smiley": ":)",
    "smileys": ":-(:D",
    "apostrophe": "a'b'",
    "n't": "don't",
    "'s": "x's",
    "units": "5km",
    "currency": "US$5",
    "C++": "C++",
    "a.m.": "a.m.",
    "U.S.": "U.S.",
    "dashes": "--",
    "words and dashes": "a--b",
    "dots": "...",
    "words and dots": "a...",
    "ellipses": "…",
    "bullets": "•",
    "blocks": "█",
    "quotes": "\"'",
    "curly quotes": "“”",
    "guillemets": "«»",
    "()": "()",
    "([": "([",
    ")(": ")(",
    "[]": "[]",
    "();": "();",
    "){": "){",
    "$(": "$(",
    "''": "''",
    "path": "/usr/lib",
    "query": "k=v&",
    "degree": "°C.",
    "long URL": "",
    "base64": "",
    "base64 lines": "",
    "hex": "",
    "random ASCII": "",
    "random marks": "",
    "random Unicode": "",
    "mixed": "",
    "chunks of 1,000 marks": "",
    "chunks of 1,000 smileys": "",
    "chunks of 200 smileys": "",
    "chunks of 1,000 emoji": "",
    "chunks of 1,000 colons": "",
    "prose": "",
} | {f"U+{ord(mark):04X} {mark}": mark for mark in string.punctuation}  # fmt: skip


def make_text(kind: str, chars: int) -> str:
    """Return so many characters of a kind."""
    piece = PIECES[kind]
    if piece:
        return (piece * (chars // len(piece) + 1))[:chars]
    rng = random.Random(kind)
    word = string.ascii_lowercase + "     "
    tables = {
        "long URL": ("http://example.org/?", string.ascii_letters + "/&=%?.-_"),
        "base64": ("", string.ascii_letters + string.digits + "+/"),
        "base64 lines": ("", string.ascii_letters + string.digits + "+/\n"),
        "hex": ("", "0123456789abcdef"),
        "random ASCII": ("", string.ascii_letters + string.digits + string.punctuation),
        "random marks": ("", string.punctuation),
        "random Unicode": ("", [chr(p) for p in range(0x20, 0x2FFFF) if not 0xD800 <= p < 0xE000]),
        "mixed": ("", [*PIECES.values(), *"  \n"]),
        "prose": ("", word),
    }
    if kind in tables:
        start, letters = tables[kind]
        return (start + "".join(rng.choices(letters, k=chars)))[:chars]
    _, _, size, _ = kind.split() if kind.count(" ") == 3 else ("", "", "", "")
    marks = {"marks": "()[]!?;,*=", "smileys": [":)", ":(", ";)"], "emoji": "\U0001f600\U0001f44d"}
    letters = marks.get(kind.rsplit(" ", 1)[1], ["fe80::", "a:", "http://"])
    long = int(size.replace(",", ""))
    lines = ("".join(rng.choices(letters, k=long))[:long] for _ in range(chars // long + 1))
    return " ".join(lines)[:chars]


def clean(text: str, settings: CurateSettings, folder: Path) -> None:
    """Take one document through the clean step and the search for passages."""
    path, items = folder / "one.jsonl", folder / "items.jsonl"
    path.write_text(json.dumps({"text": text}), encoding="utf-8")
    items.write_text(json.dumps({"question": text[:1000]}), encoding="utf-8")
    found = ContaminationSettings(sets=(EvaluationSet("own", str(items), "question"),))
    settings = replace(settings, contamination=found)
    job = Job(folder / "run", WorkFolder(folder / "run" / "units"))
    (unit,) = plan([str(path)]).units
    prepare_items(found, job)
    clean_unit(unit, settings, job)
    job.work.members[unit.uid].save(np.empty(0, MEMBERS))
    list_pieces(unit.uid, settings, job)


def _clock(text: str, settings: CurateSettings, seconds: int, sender: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))  # then the kernel kills it
    with tempfile.TemporaryDirectory() as name:
        start = time.process_time()
        clean(text, settings, Path(name))
        sender.send(time.process_time() - start)


def measure(text: str, settings: CurateSettings, seconds: int) -> float:
    """Return the CPU seconds of one document; infinity where it took longer than `seconds`."""
    context = multiprocessing.get_context("fork")  # kernels are loaded, vocabularies are empty
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_clock, args=(text, settings, seconds, sender))
    process.start()
    sender.close()
    try:
        return float(receiver.recv())
    except EOFError:
        process.join()
        return float("inf" if (process.exitcode or 0) < 0 else "nan")  # killed, or failed
    finally:
        process.join()


def judge(one: float, two: float, chars: int) -> str:
    """Return what is wrong with the seconds for so many characters and for twice as many."""
    if not two < float("inf"):
        return "failed" if np.isnan([one, two]).any() else "too slow"
    faults = ["slow"] if chars * 2 / two < FLOOR * 1e6 else []
    return ", ".join(faults + (["not linear"] if two > LEAST and two > GROWTH * one else []))


def prepare(recipe: str) -> CurateSettings:
    """Return a recipe's settings with all personal data, without bounds, as one line of text."""
    settings = load_recipe(recipe).curate_settings()
    return replace(settings, bounds={}, edit=replace(settings.edit, pii=tuple(KINDS)))


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kinds", nargs="*", default=list(PIECES))
    parser.add_argument("--recipes", nargs="+", default=["fineweb", "gopher", "c4"])
    parser.add_argument("--chars", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--all", action="store_true", help="print every kind")
    return parser.parse_args()


def measure_kinds(settings: CurateSettings, given: argparse.Namespace) -> int:
    """Measure each kind and print it as a row; return how many cost too much."""
    faults = 0
    for kind in given.kinds:
        one, two = (
            measure(make_text(kind, chars), settings, given.seconds)
            for chars in (given.chars, 2 * given.chars)
        )
        verdict = judge(one, two, given.chars)
        faults += bool(verdict)
        if verdict or given.all:
            print(f"| {kind} | {one:.2f} | {two:.2f} | {verdict} |", flush=True)
    return faults


def main() -> None:
    """Measure each kind with each recipe, and print those that cost too much."""
    given = parse_arguments()
    faults = 0
    warm = "".join(f"{piece} some words.\n" for piece in PIECES.values())
    for recipe in given.recipes:
        settings = prepare(recipe)
        for text in (warm, "word " * 1000, "\0"):  # kernels are compiled or loaded
            with tempfile.TemporaryDirectory() as name:
                clean(text, settings, Path(name))
        print(f"\n| {recipe} | {given.chars:,} characters, s | twice, s | verdict |")
        print("|---|---|---|---|")
        faults += measure_kinds(settings, given)
    print(f"\n{len(given.kinds)} kinds, {faults} rows that cost too much")
    if faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
