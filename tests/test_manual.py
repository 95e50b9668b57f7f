"""What the README and the manual say is so: commands parse, files exist, tables are the code's.

The pages whose code is run have tests of their own: tests/flows/test_queries_page.py and
tests/trainer/test_transformers.py.
"""

import importlib
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
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
README = PAGES[0].read_text(encoding="utf-8")
VERSIONS = {
    "token shard": "weighting.contracts.shards:SCHEMA_VERSION",
    "sidecar": "weighting.contracts.sidecar:SCHEMA_VERSION",
    "manifest": "weighting.contracts.manifest:MANIFEST_VERSION",
    "fingerprints": "pipelines.dedupe.fingerprints:FINGERPRINTS_VERSION",
    "quarantine": "pipelines.curate.quarantine:QUARANTINE_VERSION",
    "checkpoint": "trainer.run.checkpoint:FORMAT",
}


def list_commands(pages):
    """Command lines of the pages' console blocks, continued lines joined."""
    texts = [path.read_text(encoding="utf-8") for path in pages]
    pattern = re.compile(r"```console\n(.*?)```", re.DOTALL)
    blocks = [block for text in texts for block in pattern.findall(text)]
    text = "\n".join(blocks).replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]


def commands_of(name, pages=PAGES):
    """The arguments of every different command of a program, comments and redirections left out."""
    lines = [shlex.split(re.split(r" [#>] ", line)[0]) for line in list_commands(pages)]
    found = [line[1:] for line in lines if line and Path(line[0]).name == name]
    return [list(words) for words in dict.fromkeys(map(tuple, found))]


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
    assert context.params == {"name": "fineweb", "as_json": False}


@pytest.mark.parametrize("words", commands_of("trainer"), ids=" ".join)
def test_trainer_commands_parse(words):
    assert vars(build_parser().parse_args(words))


def test_there_are_commands_to_test():
    assert len(commands_of("assay")) > 20
    assert len(commands_of("trainer")) > 8
    every_page = {path.name for path in PAGES if "```console" in path.read_text(encoding="utf-8")}
    assert {"README.md", "data-engineer.md", "analyst.md", "researcher.md"} <= every_page


def test_make_targets_exist():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = {word for words in commands_of("make") for word in words if "=" not in word}
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named |= set(re.findall(r"`make ([a-z-]+)`", text))
    assert {"demo", "test", "lint", "docs", "coverage", "bench"} <= named <= set(targets)


def test_the_readme_is_short_and_its_links_lead_somewhere():
    assert len(README.splitlines()) <= 130
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_file_of_the_folder_table_exists():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    table = text.split("## The rooms")[1].split("Where a change goes")[0]
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


def test_files_that_pages_name_exist():
    pattern = r"`((?:weighting|pipelines|trainer|flows|tests|benchmarks)/[a-z0-9_/.-]+)`"
    coming = (DOCS / "architecture.md").read_text(encoding="utf-8").split("## Empty rooms")[1]
    for path in PAGES:
        for name in re.findall(pattern, path.read_text(encoding="utf-8")):
            assert (ROOT / name).exists() or f"`{name}`" in coming, f"{path.name}: {name}"


def test_the_shard_table_is_the_schema():
    section = (DOCS / "formats.md").read_text(encoding="utf-8").split("## Token shard")[1]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section.split("## Sidecar")[0], re.MULTILINE)
    schema = shard_schema(ShardInfo("", 300, 0, "train", "soft"))
    assert [name for name, _ in rows] == schema.names
    kinds = {name: kind.strip() for name, kind in rows}
    for field in schema:
        shown = str(field.type).replace("item: ", "").replace(" not null", "")
        assert shown.removesuffix(">") in kinds[field.name]
    for reason in Reason:
        assert f"{reason.value} {str(reason.name).lower().replace('_', ' ')}" in section


@pytest.mark.parametrize("name", VERSIONS)
def test_the_versions_of_formats_are_those_of_the_code(name):
    module, _, constant = VERSIONS[name].partition(":")
    text = (DOCS / "formats.md").read_text(encoding="utf-8")
    [version] = re.findall(rf"^\| {name} \| [^|]+ \| (\d+) \|", text, re.MULTILINE)
    assert int(version) == getattr(importlib.import_module(module), constant)
