"""An installed package adds two signals and a policy: nothing of assay is edited for them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.conftest import write_corpus
from weighting.contracts.shards import open_shard
from weighting.signals.quantum import QUANTUM

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MODULE = """
from dataclasses import dataclass

import numpy as np

from weighting.knobs import knob
from weighting.policies.params import OwnParams
from weighting.policies.policy import Policy
from weighting.signals.signal import Kind, Signal, Source


def measure_burst(types):
    return np.log(np.maximum(types.counts_V, 1) / np.maximum(types.holders_V, 1))


def measure_place(ids_N, offsets_D1, types):
    return np.log1p(np.arange(len(ids_N)) - np.repeat(offsets_D1[:-1], np.diff(offsets_D1)))


@dataclass(frozen=True)
class LateParams(OwnParams):
    power: float = knob(1.0, "Weights are place^power.", least=0, most=4)


def weigh_late(seen, params):
    return np.exp(np.float32(params.power) * seen.signals["place"])


BURST = Signal(Kind.TYPE, "occurrences in a holder", of_types=measure_burst)
PLACE = Signal(Kind.TOKEN, "log place <in> it", Source.TOKENS, of_tokens=measure_place)
LATE = Policy(
    "later tokens weigh more", "place^`power`", LateParams, of_tokens=weigh_late, signals=("place",)
)
"""
POINTS = """
[assay.signals]
burst = outside_weights:BURST
place = outside_weights:PLACE
[assay.policies]
late = outside_weights:LATE
"""
RECIPE = """
name = "outside"
[tokenizer]
vocab_size = 280
[weights]
dials = { surprisal = 0.25, place = 0.5, burst = 0.125 }
"""
# One process for all commands: most of their time is that of imports. DOC stands for the document
# that the command before it printed.
COMMANDS = """
import json, sys
from tests.flows.invoking import invoke

out = ""
for command in json.load(sys.stdin):
    out = invoke(*(json.loads(out)["doc_id"] if word == "DOC" else word for word in command))
    print(json.dumps(out))
"""
DOC = "SELECT min(doc_id) AS doc_id FROM signals WHERE split = 'train'"
STORY = f"""
SELECT position, token_id, place, burst, surprisal, weight
FROM explained WHERE doc_id = ({DOC}) ORDER BY position
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """Curate a corpus and weigh it anew with the package installed; what the commands say."""
    folder = tmp_path_factory.mktemp("outside")
    info = folder / "site" / "outside-1.2.dist-info"
    info.mkdir(parents=True)
    (folder / "site" / "outside_weights.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(POINTS)
    (folder / "recipe.toml").write_text(RECIPE)
    corpus = [str(path) for path in write_corpus(folder / "corpus", 12)]
    run, late = str(folder / "run"), str(folder / "late")
    told = run_commands(
        folder / "site",
        ["curate", *corpus, "--out", run, "--recipe", str(folder / "recipe.toml")],
        ["weigh", run, "--out", late, "--policy", "late", "--set", "power=0.5"],
        ["query", run, STORY, "--format", "jsonl"],
        ["query", late, STORY, "--format", "jsonl"],
        ["query", late, "SELECT * FROM signal_stats WHERE split = 'train'", "--format", "jsonl"],
        ["query", late, DOC, "--format", "jsonl"],
        ["explain", late, "DOC", "--token", "3", "--json"],
    )
    return SimpleNamespace(
        run=Path(run),
        late=Path(late),
        said=told[1],
        soft_rows=read_lines(told[2]),
        late_rows=read_lines(told[3]),
        stats={row["signal"]: row for row in read_lines(told[4])},
        story=json.loads(told[6]),
    )


def read_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def run_commands(site, *commands):
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(root)])},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return read_lines(done.stdout)


def test_stored_signals_are_in_the_sidecars_and_those_of_types_in_the_statistics(outside):
    for path in (outside.run / "signals").glob("*.parquet"):
        for row in pq.read_table(path, columns=["input_ids", "place"]).to_pylist():
            expected = np.rint(np.log1p(np.arange(len(row["input_ids"]))) / QUANTUM) * QUANTUM
            assert row["place"] == expected.tolist()
    types = pq.read_table(outside.run / "stats" / "types.parquet")
    counts, holders = (types[name].to_numpy() for name in ("count_train", "holders"))
    expected = np.log(np.maximum(counts, 1) / np.maximum(holders, 1))
    np.testing.assert_allclose(types["burst"].to_numpy(), expected, atol=QUANTUM / 2)
    assert "mean_place" in types.column_names
    assert "mean_burst" not in types.column_names


def test_they_are_counted_as_all_signals_are(outside):
    assert list(outside.stats)[-2:] == ["burst", "place"]
    assert outside.stats["place"]["kind"] == "token"
    assert outside.stats["burst"]["meaning"] == "occurrences in a holder"


def test_the_shards_name_policy_and_knobs_and_hold_its_weights(outside):
    for path in (outside.late / "shards").iterdir():
        info = open_shard(path).info
        assert info.policy == "late"
        assert info.policy_params["power"] == 0.5
        assert "cap" not in info.policy_params
    rows = outside.late_rows[:-1]  # but for the end of text
    places = np.exp([0.5 * row["place"] for row in rows])
    weights = np.array([row["weight"] for row in rows])
    np.testing.assert_allclose(weights / places, weights[-1] / places[-1], rtol=1e-5)


def test_dials_of_own_policies_take_them(outside):
    dials = {"surprisal": 0.25, "place": 0.5, "burst": 0.125}
    rows = outside.soft_rows[:-1]
    scores = np.array([sum(dials[name] * row[name] for name in dials) for row in rows])
    weights = np.array([row["weight"] for row in rows])
    assert np.corrcoef(scores, np.log(weights))[0, 1] > 0.9  # mixed and capped, so not one


def test_the_database_has_them_beside_all_others(outside):
    assert [row["position"] for row in outside.late_rows] == list(range(len(outside.late_rows)))
    burst = {row["token_id"]: row["burst"] for row in outside.late_rows}
    types = pq.read_table(outside.run / "stats" / "types.parquet")["burst"].to_pylist()
    assert burst == {token_id: types[token_id] for token_id in burst}


def test_the_report_shows_them_as_text(outside):
    page = (outside.late / "report.html").read_text(encoding="utf-8")
    assert "log place &lt;in&gt; it" in page
    assert "log place <in> it" not in page
    assert "occurrences in a holder" in page
    assert "later tokens weigh more" in page
    assert 'id="by-place"' in page
    assert 'id="by-burst"' in page


def test_a_weight_is_explained_down_to_the_number_in_the_shard(outside):
    assert {"burst", "place"} <= {row["name"] for row in outside.story["signals"]}
    weight = outside.story["weight"]
    assert (weight["policy"], weight["summary"]) == ("late", "later tokens weigh more")
    assert weight["reproduced"] is True
    assert [row["signal"] for row in weight["inputs"]] == ["place"]
    assert "power 0.5" in weight["steps"][0]["formula"]
    # A query writes the shortest digits of the shard's float32, `explain` all of them.
    assert np.float32(weight["weight"]) == np.float32(outside.late_rows[3]["weight"])


def test_the_command_says_what_it_did(outside):
    assert "policy late: later tokens weigh more" in outside.said
