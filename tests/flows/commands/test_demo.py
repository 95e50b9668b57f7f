"""`assay demo`: curated, compared and presented in one command."""

import pytest

from flows.report import NAME
from tests.flows.invoking import invoke
from weighting.contracts.manifest import read_manifest
from weighting.storage.files import read_json


@pytest.mark.slow
def test_a_demo_ends_in_a_comparison(make_corpus, tmp_path):
    run, corpus = tmp_path / "run", tmp_path / "corpus"
    make_corpus(corpus, documents=300)
    options = ("--corpus", corpus, "--steps", 2, "--seeds", 1, "--workers", 1)
    output = invoke("demo", *options, "--out", run)
    assert read_manifest(run).recipe["name"] == "python-docs"
    results = read_json(run / "ablations" / "objectives" / "results.json")
    assert [arm["name"] for arm in results["arms"]] == ["plain", "weighted"]
    assert "plain against weighted" in output
    assert str(run / NAME) in output.replace("\n", "")
