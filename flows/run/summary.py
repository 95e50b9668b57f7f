"""The closing words of a run: what became of every record, what rules cost, where weight went."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows import report
from flows.database import origin
from flows.database.catalog import open_catalog
from flows.operations.quarantined import describe_files
from flows.run.funnel import (
    MEASURES,
    describe_languages,
    describe_left_out,
    describe_skipped,
    list_funnel,
)
from flows.run.remarks import list_remarks
from flows.shares import format_share
from flows.visible import shorten_path, show
from flows.whole_tables import print_table
from weighting.contracts.counts import (
    DocumentCounts,
    MassTable,
    Replay,
    SplitCounts,
    WeightCounts,
)
from weighting.contracts.manifest import read_manifest
from weighting.policies.effective_sample import effective_share
from weighting.policies.registry import POLICIES

NOTHING = "-"
EXACT = 10_000_000
STYLES = {"read": "bold", "kept": "bold"}


def print_summary(run: Path, console: Console) -> None:
    """Print the funnel, the splits and the weighting.

    Raises:
        AssayError: the run has no manifest.
    """
    manifest = read_manifest(run)
    counts = manifest.counts
    with open_catalog(run) as connection:
        errors = connection.execute("FROM quarantine_errors").fetchall()
        copies = connection.execute("SELECT kind, records, chars, tokens FROM duplicates")
        kinds = {kind: dict(zip(MEASURES, rest, strict=True)) for kind, *rest in copies.fetchall()}
        sets = connection.execute(
            "SELECT set, found, items, documents, kept FROM contaminated_sets WHERE found > 0"
        ).fetchall()
    print_table(_tabulate_funnel(counts.documents, kinds, dict(errors)), console)
    if unread := describe_files(run):
        console.print(Text(show(unread), "yellow"))
    if skipped := describe_skipped(counts.documents.skipped):
        console.print(Text(show(skipped)))
    if left_out := describe_left_out(counts.documents.left_out):
        console.print(Text(left_out))
    if languages := describe_languages(counts.documents.languages):
        console.print(Text(show(languages)))
    for found in _describe_sets(sets):
        console.print(found)
    if any(cost.failing_documents for cost in counts.documents.rules.values()):
        print_table(_tabulate_rules(counts.documents), console)
    for remark in list_remarks(manifest):
        console.print(Text(show(remark), "yellow"))
    weights = counts.weights
    print_table(_tabulate_splits(weights.splits), console)
    for line in (*_describe_weighing(weights), *_describe_mass(weights.mass)):
        console.print(line, highlight=False)


def print_paths(run: Path, console: Console) -> None:
    """Print where report and database lie, those that there are."""
    for label, name in (("report", report.NAME), ("database", origin.NAME)):
        if (run / name).exists():
            # One path, one line: a broken one cannot be copied.
            console.print(Text(f"{label:<9} {shorten_path(str(run / name))}"), soft_wrap=True)


def print_outcome(outcome: Replay, console: Console) -> None:
    """Print what a replay recovered, by type of error."""
    table = _open_table("What the replay recovered")
    for name in ("before", "quarantined now"):
        table.add_column(name, justify="right", no_wrap=True)
    for error, (before, after) in outcome.errors.items():
        table.add_row(Text(show(error)), _format(before), _format(after))
    print_table(table, console)
    left = "" if outcome.recovered or outcome.changed else "; the run stays as it is"
    console.print(f"{outcome.recovered:,} more records can be read{left}", highlight=False)


def _open_table(title: str) -> Table:
    """Return a table without lines whose first column, of names, has no heading."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    return table


def _tabulate_funnel(
    documents: DocumentCounts,
    copies: Mapping[str, Mapping[str, int]],
    errors: Mapping[str, int],
) -> Table:
    table = _open_table("What became of the records")
    for name in ("records", "%", "characters", "%", "tokens", "%"):
        table.add_column(name, justify="right", no_wrap=True)
    read = {measure: funnel.read for measure, funnel in documents.funnels.items()}
    for line in list_funnel(documents, copies, errors):
        if line.detail and line.kind == "dropped":
            continue  # rules have a table of their own
        cells = [
            text
            for number, whole in ((line.counts.get(name), read[name]) for name in MEASURES)
            for text in (_format(number), _format_share(number, whole))
        ]
        indent = "  " if line.detail else ""
        table.add_row(Text(indent + show(line.label)), *cells, style=STYLES.get(line.kind, ""))
    return table


def _describe_sets(sets: Sequence[tuple[str, int, int, int, int]]) -> Iterator[Text]:
    """Yield a line for each evaluation set of which items were found."""
    for name, found, items, documents, kept in sets:
        where = f"documents: {documents:,}, kept: {kept:,}"
        yield Text(f"evaluation items of {show(name)}: {found:,} of {items:,} found; {where}")


def _tabulate_rules(documents: DocumentCounts) -> Table:
    """Tabulate what fails each rule: by tokens, those that fail no other rule apart."""
    table = _open_table("\nWhat the rules dropped")
    for name in ("documents", "tokens", "%", "alone", "with others"):
        table.add_column(name, justify="right", no_wrap=True)
    read = documents.tokens.read
    for cost in sorted(documents.rules.values(), key=lambda cost: -cost.failing_tokens):
        tokens, alone = cost.failing_tokens, cost.alone_tokens
        if cost.failing_documents:
            table.add_row(
                Text(show(cost.rule)),
                _abbreviate(cost.failing_documents),
                _abbreviate(tokens),
                _format_share(tokens, read),
                _abbreviate(alone),
                _abbreviate(tokens - alone),
            )
    return table


def _tabulate_splits(splits: Mapping[str, SplitCounts]) -> Table:
    table = _open_table("\nToken shards")
    for name in ("documents", "tokens", "weight mass", "mean weight", "effective sample"):
        table.add_column(name, justify="right", no_wrap=True)
    for split, numbers in splits.items():
        tokens, mass = numbers.tokens, numbers.mass
        share = effective_share(mass, numbers.squares, tokens) if tokens else None
        table.add_row(
            split,
            _format(numbers.documents),
            _format(tokens),
            f"{mass:,.1f}",
            f"{mass / tokens:.6f}" if tokens else NOTHING,
            NOTHING if share is None else f"{share:.1%}",
        )
    return table


def _describe_weighing(weights: WeightCounts) -> Iterator[str]:
    weighing = weights.weighing
    yield ""
    yield f"policy {weighing.policy}: {POLICIES[weighing.policy].summary}"
    given = weighing.params["mix"]
    for split, scale in weighing.splits.items():
        if given is not None and scale.mix > given:
            yield (
                f"{split}: mix raised from {given:g} to {scale.mix:.3f}, "
                f"for an effective sample of {scale.effective:.1%}"
            )
    if chosen := weights.selection:
        yield (
            f"selected by {chosen.by}: {chosen.kept_documents:,} documents of "
            f"{chosen.kept_tokens:,} tokens; left out: {chosen.left_documents:,} of "
            f"{chosen.left_tokens:,}"
        )


def _describe_mass(mass: MassTable) -> Iterator[str]:
    for label, tokens, weight in (
        ("10 commonest token types", mass.top10_tokens, mass.top10_mass),
        ("100 commonest token types", mass.top100_tokens, mass.top100_mass),
        ("rarest half of the types", mass.rarest_half_tokens, mass.rarest_half_mass),
    ):
        yield (
            f"{label}: {format_share(tokens)}% of the tokens, "
            f"{format_share(weight)}% of the weight mass"
        )
    zeros = f"{format_share(mass.zero_tokens)}% of the tokens weigh 0"
    yield f"highest weight {mass.max_weight:.2f}; {zeros}"


def _format(count: int | None) -> str:
    return NOTHING if count is None else f"{count:,}"


def _abbreviate(count: int) -> str:
    """Return a count in at most eleven characters up to 10^12, exact below 10^7."""
    return f"{count:,}" if count < EXACT else f"{count / 1e6:,.1f} M"


def _format_share(count: int | None, whole: int) -> str:
    return NOTHING if count is None or not whole else format_share(count, whole)
