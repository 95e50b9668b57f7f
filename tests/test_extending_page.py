"""The examples of docs/guides/extending.md are records, and compute what they say."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.readers.records import ReadOptions
from pipelines.rules.batch import Batch
from pipelines.settings import RuleSettings
from weighting.signals.token_types import Types

PAGE = Path(__file__).parents[1] / "docs" / "guides" / "extending.md"


@pytest.fixture(scope="module")
def names():
    """What the Python of the page defines, all blocks in one module."""
    found = {"__name__": "my_weights.records"}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), found)
    return found


def test_every_entry_point_is_a_record_of_its_kind(names):
    kinds = {
        "signals": "Signal",
        "policies": "Policy",
        "rules": "Rule",
        "readers": "Reader",
        "objectives": "Objective",
    }
    text = PAGE.read_text(encoding="utf-8")
    pattern = r'\[project.entry-points."assay.(\w+)"\]\n\w+ = "my_weights.records:(\w+)"'
    points = re.findall(pattern, text)
    assert [kind for kind, _ in points] == list(kinds)
    for kind, name in points:
        assert type(names[name]).__name__ == kinds[kind]


def test_the_signal_counts_documents(names):
    types = Types(np.array([5, 1]), np.array([3, 0]), 4)
    np.testing.assert_allclose(names["CAPITAL"].of_types(types), np.log([4, 1]))


def test_the_rule_counts_digits(names):
    batch = Batch(pa.array(["a1", "12b3", ""]), pa.array(["{}"] * 3), RuleSettings())
    assert names["DIGITS"].annotate(batch).tolist() == [1, 3, 0]


def test_the_reader_reads_lines(names, tmp_path):
    path = tmp_path / "a.log"
    path.write_text("one\ntwo\n")
    reader = names["LOG"]
    [piece] = reader.cut(str(path), "a.log", 1000)
    records = list(reader.read(piece, ReadOptions()))
    assert [(record.locator, record.text) for record in records] == [
        ("line 0", "one"),
        ("line 1", "two"),
    ]
