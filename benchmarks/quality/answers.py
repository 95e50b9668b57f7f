"""Where the answers of riddles stand among the tokens of their documents, by each signal.

assay curate CORPUS benchmarks/quality/riddles.jsonl --recipe RECIPE --out RUN
python -m benchmarks.quality.answers RUN

The riddles are written for this table: everyday sentences of frequent words ("I put my ice cream in
the microwave and then it melted"), short whodunits whose last word is a name, and questions with
four choices whose answer is a letter. Of each, the answer's token is ranked among its document's:
1 is the highest value, of losses the lowest. `top 5 %` says how many answers are among the highest
twentieth of all text tokens of the run, riddles left out; `golden` how many the run's rule flags.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from weighting.arrays import Bools, Float32s
from weighting.contracts.reasons import Reason
from weighting.contracts.shards import open_shard
from weighting.contracts.sidecar import Sidecar, read_sidecar
from weighting.signals.registry import SIGNALS

KINDS = ("everyday", "whodunit", "choice")
LOW = ("nll", "entropy")  # of these an answer that is told has low values
SHARE = 0.05


class Riddle(NamedTuple):
    """A document that asks something; `letter` is the first character of its answer."""

    kind: str
    answer: str
    letter: int


class Found(NamedTuple):
    """An answer's token: its document's signals, its number there, whether it is golden."""

    riddle: Riddle
    signals: dict[str, Float32s]
    at: int
    golden: bool


def read_riddles(run: Path) -> dict[str, Riddle]:
    """Return the riddles of a run by the ids of their documents."""
    riddles = {}
    for path in sorted((run / "documents").glob("*.parquet")):
        rows = pq.read_table(path, columns=["doc_id", "source", "text", "metadata"]).to_pylist()
        for row in rows:
            told = json.loads(row["metadata"])
            if "answer" in told:
                letter = row["text"].index(told["answer"], int(told["at"]))
                riddles[row["doc_id"]] = Riddle(row["source"], told["answer"], letter)
    return riddles


def read_tokens(run: Path) -> Iterator[tuple[Sidecar, Bools]]:
    """Yield each sidecar of a run, and which of its tokens are golden."""
    for path in sorted((run / "signals").glob("*.parquet")):
        shard = open_shard(run / "shards" / f"{path.stem}.arrow")
        golden = [(segment.reasons_N & Reason.GOLDEN) > 0 for segment in shard.segments]
        yield read_sidecar(path), np.concatenate(golden)


def find_answers(run: Path) -> tuple[list[Found], dict[str, Float32s]]:
    """Return the answers, and every signal of all text tokens that are of no riddle."""
    riddles, found = read_riddles(run), list[Found]()
    others: dict[str, list[Float32s]] = {}
    for sidecar, golden_N in read_tokens(run):
        signals = derive(sidecar.signals)
        rest_N = ~sidecar.special_N
        for number, doc_id in enumerate(sidecar.doc_ids.to_pylist()):
            first, stop = sidecar.offsets_D1[number : number + 2]
            if riddle := riddles.get(doc_id):
                starts = sidecar.starts_N[first : stop - 1]
                at = int(np.searchsorted(starts, riddle.letter, side="right")) - 1
                own = {name: values[first : stop - 1] for name, values in signals.items()}
                found.append(Found(riddle, own, at, bool(golden_N[first + at])))
                rest_N[first:stop] = False
        for name, values in signals.items():
            others.setdefault(name, []).append(values[rest_N])
    return found, {name: np.concatenate(parts) for name, parts in others.items()}


def derive(stored: Mapping[str, Float32s]) -> dict[str, Float32s]:
    """Return stored signals, and those that follow from them alone."""
    derived = {
        name: signal.derived.combine(*(stored[one] for one in signal.derived.of))
        for name, signal in SIGNALS.items()
        if signal.derived is not None and {*signal.derived.of} <= stored.keys()
    }
    return {**stored, **derived}


def rank(found: Found, name: str) -> int:
    """Return the place of an answer in its document by a signal, from 1."""
    values, sign = found.signals[name], -1 if name in LOW else 1
    return int((sign * values > sign * values[found.at]).sum()) + 1


def is_high(found: Found, name: str, others_N: Float32s) -> bool:
    """Say whether an answer is among the highest of all tokens, of losses the lowest."""
    share = 1 - SHARE if name not in LOW else SHARE
    cut, value = np.quantile(others_N, share), found.signals[name][found.at]
    return bool(value <= cut if name in LOW else value >= cut)


def main() -> None:
    """Print a row for each answer, and a row for each kind and signal."""
    found, others = find_answers(Path(sys.argv[1]))
    names = list(others)
    console, ranks = Console(width=140), Table(title="rank of the answer's token (and its value)")
    for column in ("riddle", "answer", "tokens", "golden", *names):
        ranks.add_column(column, justify="right")
    for one in sorted(found, key=lambda one: KINDS.index(one.riddle.kind)):
        values = [f"{rank(one, name)} ({one.signals[name][one.at]:.1f})" for name in names]
        size = str(len(one.signals[names[0]]))
        golden = "yes" if one.golden else ""
        ranks.add_row(one.riddle.kind, one.riddle.answer, size, golden, *values)
    console.print(ranks)
    shares = Table(title=f"answers among the top {SHARE:.0%} of the corpus's tokens")
    for column in ("kind", "riddles", "golden", *names):
        shares.add_column(column, justify="right")
    for kind in KINDS:
        of_kind = [one for one in found if one.riddle.kind == kind]
        high = [str(sum(is_high(one, name, others[name]) for one in of_kind)) for name in names]
        shares.add_row(kind, str(len(of_kind)), str(sum(one.golden for one in of_kind)), *high)
    console.print(shares)


if __name__ == "__main__":
    main()
