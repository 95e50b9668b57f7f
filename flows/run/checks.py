"""What ends a run after its documents were read: nothing is left of them."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from flows.run.quarantined import describe_commonest
from weighting.contracts.documents import Verdict
from weighting.errors import AssayError

NAMED = 3  # takers that are named, the greatest first
ADVICE = {
    Verdict.DROPPED: "loosen the bounds of rules, or name another --recipe (minimal drops nothing)",
    Verdict.DUPLICATE: "all are copies: of each other, or of documents of the runs --against",
    Verdict.QUARANTINED: "assay quarantine shows the records",
}


def check_kept(run: Path) -> None:
    """Raise AssayError where no document is kept, saying what took them all."""
    takers: Counter[tuple[str, str | None]] = Counter()
    for path in sorted((run / "ledger").glob("*.parquet")):
        columns = pq.read_table(path, columns=["verdict", "rule"]).columns
        takers.update(zip(*(column.to_pylist() for column in columns), strict=True))
    if not takers or any(verdict == Verdict.KEPT for verdict, _ in takers):
        return
    most = takers.most_common(1)[0][0][0]
    named = [f"{n:,} {_name(*taker)}" for taker, n in takers.most_common(NAMED)]
    more = ", …" if len(takers) > NAMED else ""
    quarantined = describe_commonest(run) if most == Verdict.QUARANTINED else ""
    raise AssayError(
        f"no document is kept of {takers.total():,} records: {', '.join(named)}{more}; "
        + "; ".join(filter(None, (quarantined, ADVICE[Verdict(most)])))
    )


def _name(verdict: str, rule: str | None) -> str:
    """Return what took a record, in words."""
    match verdict:
        case Verdict.DROPPED:
            return f"dropped by rules.{rule}"
        case Verdict.QUARANTINED:
            return f"could not be read ({rule})"
        case _:
            return "copies"
