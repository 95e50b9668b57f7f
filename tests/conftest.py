"""Shared fixtures.

make_corpus(folder, documents, seed)  writes two JSONL files of English-like text, with five exact
                                      copies and three stubs among them, and returns their paths
small_corpus                          the paths of one such corpus of 60 documents, for all tests
not_ignored                           SIGHUP and SIGINT have an effect, though nohup or a shell had
                                      the tests ignore them
"""

import gc
import json
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is slow, not wrong: no test asserts on time.
settings.register_profile("assay", deadline=None)
settings.load_profile("assay")


def pytest_collection_finish():
    """Keep the garbage collector from reading a million objects of modules and tests each time."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure():
    """Let everything go at the end: libraries tell of what is left."""
    gc.unfreeze()


# Commonest first.
WORDS = (
    *("the", "of", "and", "to", "that", "with", "have", "be", "a", "in", "it", "on", "was", "ice"),
    *("cream", "melted", "quickly", "because", "somebody", "put", "microwave", "river", "stone"),
    *("letter", "answer", "murderer", "garden", "evening", "window", "question", "teacher"),
    *("carried", "slowly", "another", "morning", "people", "never", "always", "thought"),
    *("remember", "small", "large", "before", "after", "under"),
)


def write_text(rng: random.Random, sentences: int) -> str:
    """Prose of so many sentences: words drawn with falling frequency."""
    lines = []
    for _ in range(sentences):
        words = rng.choices(WORDS, weights=[1 / (rank + 1) for rank in range(len(WORDS))], k=12)
        lines.append(" ".join(words).capitalize() + ".")
    return "\n".join(lines)


def write_corpus(folder: Path, documents: int = 60, seed: int = 0) -> list[Path]:
    """See the module docstring."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    texts = [write_text(rng, rng.randint(6, 20)) for _ in range(documents)]
    texts += texts[:5] + ["Too short to keep."] * 3
    rng.shuffle(texts)
    paths = [folder / "a.jsonl", folder / "b.jsonl"]
    half = len(texts) // 2
    for path, part in zip(paths, (texts[:half], texts[half:]), strict=True):
        rows = [{"id": i, "text": text, "source": f"s{i % 3}"} for i, text in enumerate(part)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return paths


@pytest.fixture
def make_corpus():
    """See the module docstring."""
    return write_corpus


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory):
    """See the module docstring."""
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def not_ignored():
    """See the module docstring."""
    usual: dict[int, Any] = {
        signal.SIGHUP: signal.SIG_DFL,
        signal.SIGINT: signal.default_int_handler,
    }
    ignored = [number for number in usual if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, usual[number])
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
