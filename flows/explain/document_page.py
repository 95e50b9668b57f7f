"""The story of a record on the screen."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flows.explain.lines import Story, number, print_facts, print_title, quote
from flows.visible import shorten, show


def print_document(story: Story, console: Console) -> None:
    """Print where a record came from, what became of it and, if it was kept, what it weighs."""
    console.print(Text(f"document {story['doc_id']}: {story['verdict']}", style="bold"))
    if beginning := story["beginning"]:
        more = "…" if len(beginning) < story["chars"] else ""
        text = Text(show(beginning) + more, style="italic")
        console.print(Padding(text, (1, 2)))
    print_facts(_list_facts(story), console)
    if story["error"]:
        print_title("Why it could not be read", console)
        print_facts(_list_error(story["error"]), console)
    if story["rules"]:
        print_title("Rules that it fails, the one that dropped it first", console)
        print_facts({row["rule"]: _word_bounds(row) for row in story["rules"]}, console)
    if story["copy"]:
        print_title("Copies", console)
        print_facts(_list_copies(story["copy"]), console)
    if story["items"]:
        print_title("Evaluation items in it", console)
        items = {f"{row['set']} {row['item']}": _word_item(row) for row in story["items"]}
        print_facts(items, console)
    if story["weights"]:
        _print_weights(story["weights"], console)


def _list_facts(story: Story) -> dict[str, str]:
    given = story["input"]
    facts = {
        "source": story["source"],
        "read from": story["locator"],
        "input": given and f"{given['name']}, {given['size']:,} bytes, hash {given['hash'][:12]}",
        "split": story["split"],
        "language": story["language"],
        "judged as": story["judged_as"] if story["judged_as"] != story["language"] else None,
        "characters": f"{story['chars']:,} ({story['chars_in']:,} as read)",
        "tokens": None if story["tokens"] is None else f"{story['tokens']:,} without end of text",
    }
    return {name: value for name, value in facts.items() if value}


def _list_error(error: Story) -> dict[str, str]:
    names = {"error": error["error"], "message": error["message"], "reader": error["reader"]}
    return {name: value for name, value in names.items() if value}


def _word_bounds(row: Story) -> str:
    value = "no value" if row["value"] is None else f"{row['value']:.6g}"
    bounds = [
        f"{words} {row[name]:g}"
        for name, words in (("min", "at least"), ("max", "at most"))
        if row[name] is not None
    ]
    return f"{value}, kept if {' and '.join(bounds)}" if bounds else f"{value}, without bounds"


def _list_copies(copy: Story) -> dict[str, str]:
    others = copy["documents"] - 1
    if copy["itself"]:
        least = number(copy["least_similarity"], ".2f")
        return {"copies of it": f"{others:,}, similarity from {least}"}
    where = copy["where"]
    place = f"{where['source']}, {where['locator']}" if where else "in an earlier run"
    return {
        "copy of": f"{copy['survivor']}, {place}",
        "similarity": number(copy["similarity"], ".2f"),
        "cluster": f"{copy['documents']:,} documents of this run",
    }


def _word_item(row: Story) -> str:
    return f"{row['score']:.0%} of it: {shorten(row['passage'], 100)}"


def _print_weights(weights: Story, console: Console) -> None:
    print_title(f"Its weight, by policy {weights['policy']}", console)
    selection = weights["selection"]
    if not weights["selected"]:
        by = f": not among the richest in {selection['by']}" if selection else ""
        console.print(Text(f"left out by the selection{by}"))
        return
    facts = {
        "mean weight": f"{number(weights['mean'])}, sum {number(weights['mass'], ',.1f')}"
        f" over {weights['tokens']:,} tokens",
        "range": f"{number(weights['low'])} to {number(weights['high'])}",
        "of weight 0": f"{weights['zeros']:,} tokens",
        "flags": ", ".join(f"{name} {count:,}" for name, count in weights["reasons"].items()),
    }
    if selection:
        facts["selected"] = f"by {selection['by']}, within {selection['tokens']:,} tokens"
    print_facts(facts, console)
    print_title("Heaviest tokens", console)
    console.print(_tabulate(weights["heaviest"]))
    print_title("Lightest tokens", console)
    console.print(_tabulate(weights["lightest"]))


def _tabulate(tokens: Sequence[Story]) -> Table:
    table = Table(box=None, pad_edge=False)
    places = [f"{row['position']:,}" for row in tokens]
    # Where space is short, the quotations give way and the numbers stay whole.
    width = max(map(len, (*places, "token")))
    table.add_column("token", justify="right", no_wrap=True, min_width=width)
    table.add_column("weight", justify="right", no_wrap=True, min_width=len("weight"))
    table.add_column("", no_wrap=True, overflow="ellipsis")
    for row, place in zip(tokens, places, strict=True):
        text = quote(row) if "token" in row else Text(f"id {row['token_id']}")
        table.add_row(place, number(row["weight"]), text)
    return table
