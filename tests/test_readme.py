"""What the README says is so: its commands parse, its files exist, its schema is the schema."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from flows.commands.app import app
from trainer.cli import build_parser
from weighting.contracts.reasons import Reason
from weighting.contracts.shards import ShardInfo, shard_schema

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def list_commands():
    """Command lines of the README's console blocks, continued lines joined."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]


def commands_of(name):
    lines = [shlex.split(line.split("#")[0]) for line in list_commands()]
    return [line[1:] for line in lines if Path(line[0]).name == name]


def parse(group, words):
    """Parse the words of a command, or of a command of a group, and return its context."""
    name, command, rest = group.resolve_command(group.make_context("assay", [*words]), words)
    if hasattr(command, "commands"):
        return parse(command, rest)
    return command.make_context(name, rest)


@pytest.mark.parametrize("words", commands_of("assay"), ids=" ".join)
def test_assay_commands_parse(words):
    assert parse(typer.main.get_command(app), words).params


def test_commands_of_groups_parse():
    context = parse(typer.main.get_command(app), ["recipe", "show", "fineweb"])
    assert context.params == {"name": "fineweb"}


@pytest.mark.parametrize("words", commands_of("trainer"), ids=" ".join)
def test_trainer_commands_parse(words):
    assert build_parser().parse_args(words)


def test_make_targets_exist():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = [words[0] for words in commands_of("make")]
    assert {"demo", "test", "lint", "bench"} <= set(named) <= set(targets)


def test_every_file_of_the_folder_table_exists():
    table = README.split("## How the data flows")[1].split("## The token shard")[0]
    folder, found = ROOT, 0
    for row in re.findall(r"^\| (?!folder|---)(.*?) \|", table, re.MULTILINE):
        names = re.findall(r"`([^`]+)`", row)
        if not row.startswith("·"):
            folder = ROOT / names[0]
            names = [str(ROOT / name) for name in names]
        for name in names:
            assert (folder / name).exists(), name
            found += 1
    assert found > 20


def test_the_shard_table_is_the_schema():
    section = README.split("## The token shard")[1]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE)
    schema = shard_schema(ShardInfo("", 300, 0, "train", "soft"))
    assert [name for name, _ in rows] == schema.names
    kinds = {name: kind.strip() for name, kind in rows}
    for field in schema:
        shown = str(field.type).replace("item: ", "").replace(" not null", "")
        assert shown.removesuffix(">") in kinds[field.name]
    for reason in Reason:
        assert f"{reason.value} {str(reason.name).lower().replace('_', ' ')}" in section
