"""The story of a token on the screen."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from flows.explain.lines import (
    CLOSE,
    OPEN,
    Story,
    number,
    open_table,
    print_facts,
    print_title,
    quote,
)
from flows.graphemes import set_apart
from flows.shares import format_share
from flows.visible import show
from flows.whole_tables import print_table
from weighting.signals.trajectory import TRAJECTORIES

WIDE = 100  # columns from which on each signal's meaning stands in its row


def print_token(story: Story, console: Console) -> None:
    """Print everything about a token: place, type, signals, reasons, weight."""
    last = story["tokens"] - 1
    title = f"token {story['position']:,} (of 0 to {last:,}) in {story['doc_id']}"
    console.print(Text(title, style="bold"))
    if story["context"]:
        console.print(Padding(quote(story["context"]), (1, 2)))
    print_facts(_list_places(story), console)
    print_title("Its type", console)
    print_facts(_list_counts(story["type"]), console)
    print_title("Its signals, in nats", console)
    _print_signals(story, console)
    print_title("Why it is flagged", console)
    reasons = dict(zip(story["reasons"], story["meanings"], strict=True))
    print_facts(reasons or {"no flags": ""}, console)
    if story["golden"]:
        _print_golden(story["golden"], console)
    _print_weight(story["weight"], console)


def _list_places(story: Story) -> dict[str, str]:
    facts = {"source": story["source"], "read from": story["locator"], "split": story["split"]}
    if place := story["place"]:
        facts["in the text"] = f"characters {place['start']:,} to {place['end']:,}"
        facts["as read"] = f"characters {place['source_start']:,} to {place['source_end']:,}"
    else:
        facts["in the text"] = "not known: the run keeps no signals"
    return facts


def _list_counts(counts: Story) -> dict[str, str]:
    share = format_share(counts["count_train"], counts["tokens"] or 1, digits=3)
    decile = "in none" if counts["decile"] is None else f"decile {counts['decile']}"
    return {
        "token": f"{OPEN}{set_apart(counts['token'])}{CLOSE}, id {counts['token_id']}",
        "count": f"{counts['count_train']:,} in train ({share}%), "
        f"{counts['count_validation']:,} in validation",
        "rank": f"{counts['rank']:,} of {counts['types']:,}, {decile}",
        "documents": f"{counts['holders']:,} of the train split hold it",
        "mean weight": number(counts["mean_weight"]),
    }


def _print_signals(story: Story, console: Console) -> None:
    table = open_table("value", "mean", "above")
    wide = console.width >= WIDE
    if wide:
        table.add_column("", overflow="fold", style="dim")
    for row in story["signals"]:
        below = "" if row["below"] is None else f"{format_share(row['below'])}%"
        cells = [number(row["value"], "+.3f"), number(row["mean"], "+.3f"), below]
        table.add_row(row["name"], *cells, *([row["meaning"]] if wide else []))
    print_table(table, console)
    for name, losses, meaning, _ in TRAJECTORIES:
        if name == story["trajectory"]:
            console.print(f"from the weakest reader to the reference {name}: {losses}: {meaning}")


def _print_golden(golden: Story, console: Console) -> None:
    failing = [side["signal"] for side in golden["sides"] if not side["holds"]]
    verdict = "not golden" if failing else "golden"
    print_title(f"By rule {golden['rule']} ({golden['words']}) it is {verdict}", console)
    table = open_table("value", "must be", "")
    for side in golden["sides"]:
        wanted = f"{side['comparison']} {number(side['limit'])} ({side['bound']})"
        holds = Text("holds") if side["holds"] else Text("fails", "bold")
        table.add_row(side["signal"], number(side["value"]), wanted, holds)
    print_table(table, console)
    print_facts(_list_before(golden), console)


def _list_before(golden: Story) -> dict[str, str]:
    """Return where the token's word stood before, and what its nearest tokens do not show."""
    facts = {}
    if golden["mention"] is not None:
        facts["its word before"] = f"{golden['mention']:,} tokens before"
    if golden["near"]:
        far = "".join(part["text"] for part in golden["before"] if not part["near"])
        facts[f"farther than {golden['near']:,} tokens"] = far or "nothing"
    return facts


def _print_weight(weight: Story, console: Console) -> None:
    written = "none" if weight["weight"] is None else f"{weight['weight']:.6g}"
    print_title(f"Its weight: {written}, by policy {weight['policy']}", console)
    if weight["inputs"]:
        table = open_table("value", "mean", "dial")
        for row in weight["inputs"]:
            dial = "" if row["dial"] is None else f"{row['dial']:g}"
            table.add_row(row["signal"], number(row["value"]), number(row["mean"]), dial)
        print_table(table, console)
    table = open_table()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    for step in weight["steps"]:
        table.add_row(step["name"], f"{step['value']:.6g}", show(step["formula"]))
    print_table(table, console)
    style = "bold red" if weight["reproduced"] is False else ""
    console.print(Text(_word_outcome(weight), style=style))


def _word_outcome(weight: Story) -> str:
    if weight["reproduced"]:
        return f"= {weight['weight']:.6g}, {weight['note']}"
    return str(weight["note"])
