"""`assay explain` on a run with a reference: the numbers are those of shard and sidecar."""

import json

import pytest

from tests.flows.invoking import invoke
from weighting.contracts.shards import open_shard
from weighting.contracts.sidecar import read_sidecar
from weighting.errors import AssayError

pytestmark = [pytest.mark.usefixtures("same_code"), pytest.mark.slow]


@pytest.fixture
def first(trained):
    """The documents of a shard, and their signals."""
    path = min((trained.run / "shards").glob("train-*"))
    sidecar = read_sidecar(trained.run / "signals" / f"{path.stem}.parquet")
    return open_shard(path).segments[0], sidecar.signals


def test_a_document_is_told_by_the_beginning_of_its_id(trained, first):
    segment, _ = first
    name, size = segment.doc_ids[0].as_py(), int(segment.offsets_D1[1])
    story = json.loads(invoke("explain", trained.run, name[:12], "--json"))
    assert story["doc_id"] == name
    assert story["weights"]["tokens"] == size
    assert story["weights"]["mass"] == pytest.approx(float(segment.weights_N[:size].sum()))
    printed = invoke("explain", trained.run, name)
    assert name in printed
    assert "soft" in printed


def test_a_token_is_told_with_every_signal_and_its_weight(trained, first):
    segment, stored = first
    name, at = segment.doc_ids[0].as_py(), 40
    story = json.loads(invoke("explain", trained.run, name, "--token", at, "--json"))
    told = {signal["name"]: signal["value"] for signal in story["signals"]}
    assert {name: float(values_N[at]) for name, values_N in stored.items()}.items() <= told.items()
    assert "context_gain" in stored
    assert story["weight"]["weight"] == float(segment.weights_N[at])
    assert story["type"]["token_id"] == segment.ids_N[at]
    printed = invoke("explain", trained.run, name, "--token", at)
    assert "context_gain" in printed
    assert f"{segment.weights_N[at]:.6g}" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["feedfeed"], "feedfeed"),
        (["fe"], "'fe': give at least 6 characters of the document's id"),
        (["{name}", "--token", "100000"], "100000"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(trained, first, arguments, message):
    name = first[0].doc_ids[0].as_py()
    with pytest.raises(AssayError, match=message) as caught:
        invoke("explain", trained.run, *(word.format(name=name) for word in arguments))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
