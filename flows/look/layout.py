"""The look at a corpus as a person reads it, and as JSON."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from flows.look.survey import Survey, Unread
from flows.look.trial import Suggestion
from flows.shares import format_share
from flows.visible import shorten, shorten_path, show
from flows.whole_tables import print_table
from pipelines.readers.look import Field, Look
from pipelines.readers.records import ReadOptions

TEXT_CHARS = 240  # of a document that are shown
FIELDS = 20  # of an input that are shown


def print_survey(survey: Survey, options: ReadOptions, documents: int, console: Console) -> None:
    """Print what would be read, with the first documents of each kind of input, and what not."""
    for found in survey.formats:
        noun = "input" if found.inputs == 1 else "inputs"
        head = f"{found.inputs:,} {noun} of {found.reader}, {decimal(found.size)}"
        console.print(Text(head, "bold"))
        for look in _tell_apart(found.looks):
            _print_look(look, options, documents, console)
    for unread in survey.unread:
        console.print(Text(_name_unread(unread), "bold"))
        for look in unread.looks:
            console.print(Text(f"  {show(look.name)}: {show(look.why)}"))
    for path, reason in survey.left_out:
        console.print(Text(f"left out {show(shorten_path(path))}: {reason}"))


def print_suggestion(suggestion: Suggestion, looked_at: Sequence[str], console: Console) -> None:
    """Print the recipe to begin with, why, and the commands that use it.

    `looked_at` are the arguments of the look: paths, and the recipe that it read by.
    """
    console.print(Text("\nSuggested", "bold"))
    for reason in suggestion.reasons:
        console.print(Text(f"  {show(reason)}"))
    for line in list_commands(suggestion, looked_at):
        console.print(Text(f"  $ {show(line)}", "green"), soft_wrap=True)


def list_commands(suggestion: Suggestion, looked_at: Sequence[str]) -> list[str]:
    """Return the commands to go on with after a look with these arguments."""
    option = looked_at.index("--recipe") if "--recipe" in looked_at else len(looked_at)
    named = shlex.join(looked_at[:option])
    if suggestion.is_preset:
        return [f"assay curate {named} --recipe {suggestion.recipe.name} --out runs/first"]
    return [
        f"assay look {shlex.join(looked_at)} --write first.toml",
        f"assay curate {named} --recipe first.toml --out runs/first",
    ]


def describe_survey(survey: Survey, documents: int) -> dict[str, Any]:
    """Return what `print_survey` prints, for programs."""
    formats = [
        {
            "reader": found.reader,
            "inputs": found.inputs,
            "bytes": found.size,
            "looks": [_to_json(look, documents) for look in found.looks],
        }
        for found in survey.formats
    ]
    unread = [
        {"suffix": one.suffix, "files": one.files, "why": [look.why for look in one.looks]}
        for one in survey.unread
    ]
    left_out = [one._asdict() for one in survey.left_out]
    return {"formats": formats, "unread": unread, "left_out": left_out}


def describe_suggestion(suggestion: Suggestion, looked_at: Sequence[str]) -> dict[str, Any]:
    """Return what `print_suggestion` prints, for programs."""
    return {
        "recipe": suggestion.recipe.name,
        "read": asdict(suggestion.recipe.read),
        "reasons": suggestion.reasons,
        "trials": [trial._asdict() for trial in suggestion.trials],
        "commands": list_commands(suggestion, looked_at),
    }


def _to_json(look: Look, documents: int) -> dict[str, Any]:
    return {
        "name": look.name,
        "why": look.why,
        "fields": [field._asdict() for field in look.fields],
        "documents": [one._asdict() for one in look.samples[:documents]],
        "unreadable": [f"{one.locator}: {one.error}: {one.message}" for one in look.rejects],
    }


def _print_look(look: Look, options: ReadOptions, documents: int, console: Console) -> None:
    console.print(Text(f"{show(look.name)}: {show(look.why)}"))
    if look.fields:
        print_table(_tabulate_fields(look.fields, options), console)
    for one in look.samples[:documents]:
        begin = show(shorten(one.text.strip(), TEXT_CHARS))
        place = f"  {show(one.locator)}, {len(one.text):,} characters: "
        console.print(Text.assemble((place, "dim"), begin))
    if not (look.samples or look.rejects):
        console.print(Text("  no record", "yellow"))
    for line in _describe_rejects(look):
        console.print(Text(f"  cannot be read: {show(line)}", "yellow"))


def _tabulate_fields(fields: Sequence[Field], options: ReadOptions) -> Table:
    table = Table(box=None, pad_edge=True, header_style="dim")
    table.add_column("field")
    table.add_column("kind")
    table.add_column("in", justify="right")
    table.add_column("mean length", justify="right")
    table.add_column("")
    roles = {options.text_field: "the text", options.source_field: "the source"}
    for field in fields[:FIELDS]:
        table.add_row(
            Text(show(field.name)),
            field.kind,
            f"{format_share(field.share, digits=0)}%",
            f"{field.characters:,.0f}" if field.characters else "",
            roles.get(field.name, ""),
        )
    if len(fields) > FIELDS:
        table.add_row(f"and {len(fields) - FIELDS} more")
    return table


def _describe_rejects(look: Look) -> Iterator[str]:
    """Yield the kinds of what cannot be read, each with its first reason."""
    kinds = dict.fromkeys(one.error for one in look.rejects)
    for kind in kinds:
        some = [one for one in look.rejects if one.error == kind]
        yield f"{len(some)} {kind}, {some[0].locator}: {some[0].message}"


def _tell_apart(looks: Sequence[Look]) -> list[Look]:
    """Return the looks that show something else than those before: other fields, other errors."""
    seen: dict[tuple[object, ...], Look] = {}
    for look in looks:
        names = tuple(field.name for field in look.fields)
        errors = tuple(sorted({one.error for one in look.rejects}))
        seen.setdefault((names, errors, bool(look.samples)), look)
    return list(seen.values())


def _name_unread(unread: Unread) -> str:
    noun = "file" if unread.files == 1 else "files"
    return f"{unread.files:,} {noun} of {show(unread.suffix)} would not be read"
