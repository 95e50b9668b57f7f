"""A reader and a rule of another installed package, from the input to the report, with no edit."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[1]
COMMAND = "flows"
MODULE = '''
"""A reader of decks of cards, and a rule that counts shouts."""

from pathlib import Path

import pyarrow.compute as pc

from pipelines.readers.reader import Reader
from pipelines.readers.records import Record, Reject, Slice
from pipelines.rules.bounds import Bounds
from pipelines.rules.rule import Rule


def cut(path, name, target_bytes):
    return [Slice(path, name, "", 0, -1, Path(path).stat().st_size)]


def scan(slice_, options):
    for number, card in enumerate(Path(slice_.path).read_text().split("%%")):
        if card.startswith("?"):
            yield Reject(f"card {number}", "bad_card", "begins with ?", card.encode())
        else:
            yield Record(f"card {number}", card, "deck", "{}")


def count_shouts(batch):
    return pc.count_substring(batch.texts_D, "!").to_numpy(zero_copy_only=False)


CARDS = Reader(
    meaning="a card of a deck", locator="card N", suffixes=(".cards",), cut=cut, scan=scan
)
SHOUTS = Rule(
    "exclamation marks, <b>not</b> others", Bounds(None, 9), "A. Nonymous", annotate=count_shouts
)
'''
POINTS = """
[assay.readers]
cards = outside_documents:CARDS
[assay.rules]
shouts = outside_documents:SHOUTS
"""
RECIPE = """
name = "loud"
[tokenizer]
vocab_size = 300
[rule_options]
families = ["length", "shouts"]
[rules]
shouts = { max = 2 }
[dedupe]
exact = false
near = false
[passages]
action = "off"
"""
CARDS, LOUD = 60, 7
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # kernels may have to be compiled first


def write_deck(path: Path) -> None:
    """Write cards of random words; LOUD of them shout thrice, and one is broken."""
    rng = np.random.default_rng(3)
    cards = [" ".join(f"word{n}" for n in rng.integers(0, 99, 30)) for _ in range(CARDS)]
    cards = [f"{card}!!!" if at < LOUD else card for at, card in enumerate(cards)]
    path.write_text("%%".join([*cards, "?broken"]))


@dataclass(frozen=True)
class Command:
    """The command in a folder; called with arguments, it returns what is printed."""

    folder: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", COMMAND, *arguments],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip


@pytest.fixture(scope="module")
def assay(tmp_path_factory):
    """Run the command beside a package that adds a reader and a rule; its recipe and run."""
    folder = tmp_path_factory.mktemp("outside")
    site = folder / "site"
    info = site / "outside-1.2.dist-info"
    info.mkdir(parents=True)
    (site / "outside_documents.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(POINTS)
    (folder / "loud.toml").write_text(RECIPE)
    write_deck(folder / "deck.cards")
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}

    command = Command(folder, environment)
    command("curate", "deck.cards", "--recipe", "loud.toml", "--out", "run")
    return command


def test_the_rule_is_a_column_of_the_ledger_and_drops(assay):
    ledger = pq.read_table(assay.folder / "run" / "ledger")
    values = dict(zip(ledger["locator"].to_pylist(), ledger["shouts"].to_pylist(), strict=True))
    assert values["deck.cards: card 0"] == 3
    assert values[f"deck.cards: card {LOUD}"] == 0
    dropped = ledger.filter(np.asarray(ledger["verdict"]) == "dropped")
    assert dropped["rule"].to_pylist() == ["shouts"] * LOUD
    assert ledger["gopher_words"].null_count == len(ledger)


def test_what_the_reader_refuses_is_in_quarantine(assay):
    with duckdb.connect(str(assay.folder / "run" / "assay.duckdb"), read_only=True) as connection:
        rows = connection.execute("SELECT name, reader, locator, error FROM quarantine").fetchall()
    assert rows == [("deck.cards", "cards", f"card {CARDS}", "bad_card")]


def test_the_database_knows_the_rule(assay):
    with duckdb.connect(str(assay.folder / "run" / "assay.duckdb"), read_only=True) as connection:
        cost = "SELECT max, failing_documents FROM rule_cost WHERE rule = 'shouts'"
        assert connection.execute(cost).fetchall() == [(2, LOUD)]
        comment = "SELECT comment FROM duckdb_columns() WHERE column_name = 'shouts'"
        assert connection.execute(comment).fetchall() == [
            (
                "Value of the rule, null where it has none: exclamation marks, <b>not</b> others; "
                "kept if at most 2",
            )
        ]


def test_the_report_says_what_the_rule_is(assay):
    page = (assay.folder / "run" / "report.html").read_text(encoding="utf-8")
    assert "shouts<small>exclamation marks, &lt;b&gt;not&lt;/b&gt; others</small>" in page
    assert "<b>not</b>" not in page


def test_recipes_show_the_rule(assay):
    assert "shouts = { max = 2 }  # exclamation marks" in assay("recipe", "show", "loud.toml")


def test_the_manifest_holds_the_recipe_with_the_rule(assay):
    manifest = json.loads((assay.folder / "run" / "manifest.json").read_text())
    assert manifest["recipe"]["rules"]["shouts"] == {"min": None, "max": 2.0}
