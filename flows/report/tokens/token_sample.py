"""A bounded sample of the corpus's tokens, for the lists that look for striking ones."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from flows.report.tokens.sidecars import Vocabulary, list_sidecars, read_texts
from flows.report.tokens.token_texts import name_type, show_tokens
from weighting.arrays import AnyArray, Bools, Float32s, Int32s, Int64s
from weighting.contracts.reasons import Reason
from weighting.contracts.shard_files import open_batches
from weighting.contracts.sidecar import read_sidecar

FILES = 4  # sidecars of the train split, far apart
PER_FILE = 50_000  # tokens, from the first on
BEFORE, AFTER = 20, 10  # tokens of a context


class Sample(NamedTuple):
    """N tokens of whole documents, or of the first part of the last one, of several sidecars.

    `weighed_N` says which are in the shards, which lack documents that were not selected; the
    weights of others are 0.
    """

    ids_N: AnyArray
    special_N: Bools
    weighed_N: Bools
    golden_N: Bools
    weights_N: Float32s
    signals: Mapping[str, Float32s]
    offsets_D1: Int64s
    doc_ids: list[str]
    sources: list[str]
    texts: list[str]
    starts_N: Int32s


class Place(NamedTuple):
    """A token in its context; what is left out on either side is marked."""

    source: str
    doc_id: str
    place: int
    before: str
    token: str
    after: str


def read_sample(run: Path, vocabulary: Vocabulary) -> Sample | None:
    """Return the first tokens of a few sidecars; None where the run keeps none."""
    paths = list_sidecars(run, "train")
    chosen = sorted({paths[at * len(paths) // FILES] for at in range(FILES)}) if paths else []
    parts = [_cut(run, path) for path in chosen]
    parts = [part for part in parts if len(part.ids_N)]
    if not parts:
        return None
    ids_N = np.concatenate([part.ids_N for part in parts])
    lengths = np.concatenate([np.diff(part.offsets_D1) for part in parts])
    stored = {
        name: np.concatenate([part.signals[name] for part in parts]) for name in parts[0].signals
    }
    return Sample(
        ids_N,
        ids_N == vocabulary.eos_id,
        np.concatenate([part.weighed_N for part in parts]),
        np.concatenate([part.golden_N for part in parts]),
        np.concatenate([part.weights_N for part in parts]),
        vocabulary.list_signals(ids_N, stored),
        np.concatenate([[0], np.cumsum(lengths)]),
        [one for part in parts for one in part.doc_ids],
        [one for part in parts for one in part.sources],
        [one for part in parts for one in part.texts],
        np.concatenate([part.starts_N for part in parts]),
    )


def show_texts(sample: Sample, vocabulary: Vocabulary) -> Iterator[list[str]]:
    """Yield for each document what its tokens show, see `show_tokens`."""
    for at, text in enumerate(sample.texts):
        here = slice(*sample.offsets_D1[at : at + 2].tolist())
        yield show_tokens(text, sample.ids_N[here], sample.starts_N[here], vocabulary)


def show_place(sample: Sample, vocabulary: Vocabulary, at: int) -> Place:
    """Return the token number `at` of the sample with what stands around it."""
    document = int(np.searchsorted(sample.offsets_D1, at, side="right")) - 1
    start, stop = sample.offsets_D1[document : document + 2].tolist()
    low, high = max(start, at - BEFORE), min(stop, at + AFTER + 1)
    text, starts_M = sample.texts[document], sample.starts_N[low:stop]
    texts = show_tokens(text, sample.ids_N[low:high], starts_M, vocabulary)
    return Place(
        sample.sources[document],
        sample.doc_ids[document],
        at - start,
        "… " * (low > start) + "".join(texts[: at - low]),
        texts[at - low] or name_type(vocabulary, int(sample.ids_N[at])),
        "".join(texts[at - low + 1 :]) + " …" * (high < stop),
    )


def _cut(run: Path, path: Path) -> Sample:
    """Return the first PER_FILE tokens of a sidecar."""
    sidecar, unit = read_sidecar(path), path.stem.partition("-")[2]
    offsets_D1 = np.minimum(sidecar.offsets_D1, PER_FILE)
    documents = int(np.searchsorted(offsets_D1, offsets_D1[-1]))
    doc_ids = sidecar.doc_ids[:documents].to_pylist()
    texts = read_texts(run, unit, doc_ids)
    if sidecar.offsets_D1[documents] > PER_FILE:  # the last document goes on
        texts[-1] = texts[-1][: sidecar.starts_N[PER_FILE]]
    offsets_D1 = offsets_D1[: documents + 1]
    return Sample(
        sidecar.ids_N[:PER_FILE],
        sidecar.special_N[:PER_FILE],
        *_read_shard(run / "shards" / f"{path.stem}.arrow", doc_ids, np.diff(offsets_D1).tolist()),
        {name: values_N[:PER_FILE] for name, values_N in sidecar.signals.items()},
        offsets_D1,
        doc_ids,
        sidecar.sources[:documents].to_pylist(),
        texts,
        sidecar.starts_N[:PER_FILE],
    )


def _read_shard(
    shard: Path, doc_ids: Sequence[str], lengths: Sequence[int]
) -> tuple[Bools, Bools, Float32s]:
    """Return of documents' first tokens which are in their shard, which are golden, and weights."""
    rows: dict[str, tuple[AnyArray, AnyArray]] = {}
    if shard.exists():
        wanted = {*doc_ids}
        rows = {
            name: (reasons.values.to_numpy(), weights.values.to_numpy())
            for batch in open_batches(shard, ["doc_id", "reasons", "weights"]).batches
            for name, reasons, weights in zip(
                batch["doc_id"].to_pylist(), batch["reasons"], batch["weights"], strict=True
            )
            if name in wanted
        }
    weighed_N = np.repeat([name in rows for name in doc_ids], lengths)
    golden_N, weights_N = np.zeros(len(weighed_N), np.bool_), np.zeros(len(weighed_N), np.float32)
    at = 0
    for name, length in zip(doc_ids, lengths, strict=True):
        if name in rows:
            reasons_M, weights_M = (column[:length] for column in rows[name])
            golden_N[at : at + length] = reasons_M & Reason.GOLDEN > 0
            weights_N[at : at + length] = weights_M
        at += length
    return weighed_N, golden_N, weights_N
