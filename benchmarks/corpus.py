"""The texts that benchmarks run on."""

from pipelines.readers.read import read_records


def read_corpus(path: str, megabytes: float) -> list[str]:
    """Return the first documents of a corpus, about so many MB of text."""
    texts: list[str] = []
    size = 0
    for _, record in read_records([path]):
        if size >= megabytes * 1e6:
            break
        texts.append(record.text)
        size += len(record.text.encode())
    return texts
