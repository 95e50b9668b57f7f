"""What ends a run after its documents were read: too much could not be read, or none is kept."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from flows.operations.quarantined import describe_commonest
from flows.run.folder import Run
from flows.run.funnel import describe_skipped
from pipelines.curate.lost_bytes import sum_losses
from pipelines.verify.ledger import count_funnel, list_skipped, read_ledger, sum_skipped
from weighting.contracts.documents import Verdict
from weighting.errors import AssayError

MEGABYTE = 1_000_000
NAMED = 3  # takers that are named, the greatest first
NAMES = {Verdict.DROPPED: "dropped by rules.", Verdict.QUARANTINED: "could not be read: "}
ADVICE = {
    Verdict.DROPPED: "loosen the bounds of rules, or name another --recipe (minimal drops nothing)",
    Verdict.QUARANTINED: "assay quarantine shows the records",
}


def check_quarantine(run: Run) -> None:
    """Raise AssayError where more could not be read than the recipe allows, in records or bytes."""
    records = count_funnel(read_ledger(run.folder))["records"]
    if records.read == 0:
        skipped = describe_skipped(sum_skipped(list_skipped(run.job)))
        raise AssayError("the inputs hold no record" + (f"; {skipped}" if skipped else ""))
    lost = sum_losses(run.claim.units, run.job.work.clean)
    most = run.recipe.limits.max_quarantined
    if records.quarantined / records.read > most:
        what = f"{records.quarantined:,} of {records.read:,} records could not be read"
    elif lost.share > most:
        megabytes = f"{lost.lost / MEGABYTE:.3g} of {lost.planned / MEGABYTE:.3g} MB"
        what = f"{megabytes} of text could not be read ({lost.share:.0%})"
    else:
        return
    raise AssayError(
        f"{what}, {describe_commonest(run.folder)}; limits.max_quarantined = {most:g} allows no "
        f"more; assay quarantine {run.folder} shows them"
    )


def check_kept(run: Path) -> None:
    """Raise AssayError where no document is kept, saying what took them all.

    Where some are copies and none is kept, the documents that they are of are in earlier runs:
    then there is nothing new, and nothing wrong.
    """
    takers: Counter[tuple[str, str | None]] = Counter()
    for path in sorted((run / "ledger").glob("*.parquet")):
        columns = pq.read_table(path, columns=["verdict", "rule"]).columns
        takers.update(zip(*(column.to_pylist() for column in columns), strict=True))
    if not takers or {Verdict.KEPT, Verdict.DUPLICATE} & {verdict for verdict, _ in takers}:
        return
    most = takers.most_common(1)[0][0][0]
    named = [
        f"{n:,} {NAMES[Verdict(taker[0])]}{taker[1]}" for taker, n in takers.most_common(NAMED)
    ]
    more = ", …" if len(takers) > NAMED else ""
    quarantined = describe_commonest(run) if most == Verdict.QUARANTINED else ""
    raise AssayError(
        f"no document is kept of {takers.total():,} records: {', '.join(named)}{more}; "
        + "; ".join(filter(None, (quarantined, ADVICE[Verdict(most)])))
    )
