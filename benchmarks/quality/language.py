"""Language identification: fastText's lid.176.ftz, which assay uses, against py3langid.

python -m benchmarks.quality.language FILE...    JSON lines, plain or .gz, of text and lang

Languages are named by ISO 639-1 or 639-3, with or without a script or place (`zh-hans`, `por_BR`);
those that either model does not know are left out, and so are pages that say of themselves that
they are not translated. Accuracy is the mean over languages; MB/s is of CPU time.
"""

import gzip
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson
import py3langid
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from pipelines.rules.identify import identify

# ISO 639-3 to 639-1, of what both models know.
COMMON = """
    afr:af amh:am arb:ar azj:az bel:be ben:bn bos:bs bre:br bul:bg cat:ca ces:cs cmn:zh cym:cy
    dan:da deu:de ell:el eng:en epo:eo est:et eus:eu fin:fi fra:fr gle:ga glg:gl guj:gu heb:he
    hin:hi hrv:hr hun:hu hye:hy ind:id isl:is ita:it jav:jv jpn:ja kan:kn kat:ka kaz:kk khm:km
    kir:ky kor:ko lao:lo lat:la lav:lv lit:lt ltz:lb mal:ml mar:mr mkd:mk mlt:mt nep:ne nld:nl
    nno:nn nob:no oss:os pan:pa pes:fa plt:mg pol:pl por:pt quz:qu ron:ro rus:ru slk:sk slv:sl
    spa:es srp:sr swe:sv swh:sw tam:ta tgl:tl tha:th tur:tr ukr:uk urd:ur vie:vi wln:wa zlm:ms
"""
CODES: Mapping[str, str] = dict(pair.split(":") for pair in COMMON.split())
LANGUAGES = frozenset(CODES.values())
SHORT = 200  # characters of a short text


Ask = Callable[[list[str]], list[str | None]]  # texts to labels


class Sample(NamedTuple):
    """A text and the language it is known to be in."""

    text: str
    language: str


def read_samples(path: Path) -> Iterator[Sample]:
    """Yield the texts of a file whose language both models know."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as lines:
        for record in map(orjson.loads, lines):
            name = record["lang"].replace("-", "_").split("_")[0]
            language = CODES.get(name, name)
            if language in LANGUAGES and "untranslated: true" not in record["text"][:2000]:
                yield Sample(record["text"], language)


def ask_fasttext(texts: list[str]) -> list[str | None]:
    """Return labels of assay's identifier."""
    return identify(pa.array(texts), []).labels_D


def ask_py3langid(texts: list[str]) -> list[str | None]:
    """Return labels of the other."""
    return [py3langid.classify(text)[0] for text in texts]


def measure(ask: Ask, samples: list[Sample]) -> tuple[float, float]:
    """Return the mean accuracy over languages, and MB per second of CPU time."""
    texts = [sample.text for sample in samples]
    ask(texts[:1])
    start = time.process_time()
    labels = ask(texts)
    seconds = time.process_time() - start
    hits = defaultdict(list)
    for sample, label in zip(samples, labels, strict=True):
        hits[sample.language].append(label == sample.language)
    accuracy = sum(sum(right) / len(right) for right in hits.values()) / len(hits)
    return accuracy, sum(len(text.encode()) for text in texts) / 1e6 / seconds


def main() -> None:
    """Print both models' accuracy and speed on whole and on short texts."""
    table = Table(caption=" ".join(["python -m benchmarks.quality.language", *sys.argv[1:]]))
    for column in ("texts", "documents", "languages", "model", "macro accuracy", "MB/s"):
        table.add_column(column)
    for path in map(Path, sys.argv[1:]):
        whole = list(read_samples(path))
        short = [Sample(text[:SHORT], language) for text, language in whole]
        for name, samples in {path.name: whole, f"… first {SHORT} characters": short}.items():
            languages = len({sample.language for sample in samples})
            for model, ask in {"lid.176.ftz": ask_fasttext, "py3langid": ask_py3langid}.items():
                accuracy, speed = measure(ask, samples)
                row = (name, len(samples), languages, model, f"{accuracy:.1%}", f"{speed:.2f}")
                table.add_row(*map(str, row))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
