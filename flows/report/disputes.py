"""The tokens that signals judge most differently, from a bounded sample of the sidecars."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from flows.report.scales import Distribution
from flows.report.sidecars import Vocabulary, list_sidecars, read_texts
from flows.report.token_texts import name_type, show_tokens
from weighting.arrays import AnyArray, Bools, Float32s, Float64s, Int32s, Int64s
from weighting.contracts.sidecar import read_sidecar

FILES = 4  # sidecars of the train split, far apart
PER_FILE = 50_000  # tokens, from the first on
ROWS = 10  # of a dispute
BEFORE, AFTER = 20, 10  # tokens of the context

Judgement = tuple[str, ...]  # names of signals: the first that the run has counts


class Dispute(NamedTuple):
    """A way for signals to disagree: the ranks of `high` less those of `low`."""

    title: str
    meaning: str
    high: Sequence[Judgement]
    low: Sequence[Judgement]


DISPUTES = (
    Dispute(
        "Rare, but nothing to learn",
        "Rarity would raise them; yet neither their context nor training makes them likelier.",
        [("surprisal",)],
        [("excess", "ngram_gain"), ("ngram_gain",)],
    ),
    Dispute(
        "A high loss that is only noise",
        "Selection by loss would take them; yet the reference is in doubt too and learnt little.",
        [("nll",), ("entropy",)],
        [("excess",)],
    ),
    Dispute(
        "Common, but golden",
        "Rarity would pass over them; yet their context makes them much likelier.",
        [("context_gain", "excess", "ngram_gain")],
        [("surprisal",)],
    ),
    Dispute(
        "Unlikely by counts, easy for the model",
        "The tokens just before do not tell them; the reference, which sees more, knows them.",
        [("ngram_surprisal",)],
        [("nll",)],
    ),
)


class Row(NamedTuple):
    """A disputed token in its context, with (value, rank) of every signal of the dispute."""

    source: str
    doc_id: str
    place: int
    before: str
    token: str
    after: str
    values: list[tuple[float, float]]


class Found(NamedTuple):
    """A dispute of this run: the signals it is about, and the tokens, most disputed first."""

    title: str
    meaning: str
    high: list[str]
    low: list[str]
    rows: list[Row]


class Sample(NamedTuple):
    """N tokens of whole documents, or of the first part of the last one, of several sidecars."""

    ids_N: AnyArray
    special_N: Bools
    signals: Mapping[str, Float32s]
    offsets_D1: Int64s
    doc_ids: list[str]
    sources: list[str]
    texts: list[str]
    starts_N: Int32s


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
        vocabulary.list_signals(ids_N, stored),
        np.concatenate([[0], np.cumsum(lengths)]),
        [one for part in parts for one in part.doc_ids],
        [one for part in parts for one in part.sources],
        [one for part in parts for one in part.texts],
        np.concatenate([part.starts_N for part in parts]),
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
    return Sample(
        sidecar.ids_N[:PER_FILE],
        sidecar.special_N[:PER_FILE],
        {name: values_N[:PER_FILE] for name, values_N in sidecar.signals.items()},
        offsets_D1[: documents + 1],
        doc_ids,
        sidecar.sources[:documents].to_pylist(),
        texts,
        sidecar.starts_N[:PER_FILE],
    )


def find_disputes(
    sample: Sample, distributions: Mapping[str, Distribution], vocabulary: Vocabulary
) -> Iterator[Found]:
    """Yield the disputes that the run's signals can have, each with up to ROWS token types."""
    for dispute in DISPUTES:
        high, low = _resolve(dispute.high, distributions), _resolve(dispute.low, distributions)
        if not high or not low:
            continue
        ranks = {name: distributions[name].rank(sample.signals[name]) for name in (*high, *low)}
        gap_N = _compare(ranks, high, low)
        gap_N[sample.special_N] = -1
        rows = [
            _describe(sample, vocabulary, ranks, at) for at in _pick(gap_N, sample.ids_N).tolist()
        ]
        yield Found(dispute.title, dispute.meaning, high, low, rows)


def _resolve(
    judgements: Sequence[Judgement], distributions: Mapping[str, Distribution]
) -> list[str]:
    """Return the signals that count; none if the run lacks all signals of one judgement."""
    found = [[name for name in names if name in distributions][:1] for names in judgements]
    return list(dict.fromkeys(one[0] for one in found)) if all(found) else []


def _compare(ranks: Mapping[str, Float64s], high: Sequence[str], low: Sequence[str]) -> Float64s:
    """Return by how much the least of the high ranks exceeds the greatest of the low ones."""
    least = np.minimum.reduce([ranks[name] for name in high])
    greatest = np.maximum.reduce([ranks[name] for name in low])
    return np.asarray(least - greatest)


def _pick(gap_N: Float64s, ids_N: AnyArray) -> Int64s:
    """Return where the widest gaps are, one place a type, the first among equals."""
    order = np.argsort(-gap_N, kind="stable")
    order = order[gap_N[order] > 0]
    _, first = np.unique(ids_N[order], return_index=True)
    return order[np.sort(first)[:ROWS]]


def _describe(
    sample: Sample, vocabulary: Vocabulary, ranks: Mapping[str, Float64s], at: int
) -> Row:
    document = int(np.searchsorted(sample.offsets_D1, at, side="right")) - 1
    start, stop = sample.offsets_D1[document : document + 2].tolist()
    low = max(start, at - BEFORE)
    window_N = sample.ids_N[low : min(stop, at + AFTER + 1)]
    text, starts_M = sample.texts[document], sample.starts_N[low:stop]
    texts = show_tokens(text, window_N, starts_M, vocabulary)
    return Row(
        sample.sources[document],
        sample.doc_ids[document],
        at - start,
        "".join(texts[: at - low]),
        texts[at - low] or name_type(vocabulary, int(sample.ids_N[at])),
        "".join(texts[at - low + 1 :]),
        [(float(sample.signals[name][at]), float(rank_N[at])) for name, rank_N in ranks.items()],
    )
