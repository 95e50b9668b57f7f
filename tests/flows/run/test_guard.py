"""The guard on quarantine: a share of the records, and of the bytes."""

import gzip
import json

import pytest

from flows.recipe.schema import parse_recipe
from flows.run.checks import check_quarantine
from flows.run.folder import Claim, claim_run
from pipelines.curate.clean import clean_unit
from pipelines.curate.write_documents import write_unit_documents
from pipelines.work.units import bind, fingerprint, plan
from weighting.errors import AssayError

ROWS = "".join(json.dumps({"text": f"document {n} of some words"}) + "\n" for n in range(400))
RECIPE = """{"name": "guarded", "dedupe": {"exact": false, "near": false},
             "passages": {"action": "off"}, "limits": {"max_quarantined": %s}}"""


def guard(folder, corpus, limit):
    units = plan([str(corpus)]).units
    entries = fingerprint(units)
    recipe = parse_recipe(json.loads(RECIPE % limit)).model_dump(mode="json")
    claim = Claim(entries, recipe, "code", [str(corpus)], bind(units, entries))
    run = claim_run(folder, claim)
    settings = run.curate_settings()
    for unit in run.claim.units:
        clean_unit(unit, settings, run.job)
        write_unit_documents(unit.uid, settings, run.job)
    check_quarantine(run)


def test_a_file_that_breaks_at_its_start_is_a_tenth_of_ten(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number in range(10):
        packed = bytearray(gzip.compress(ROWS.encode(), mtime=0))
        packed[:3] = b"\xff\xff\xff" if number == 4 else packed[:3]
        (corpus / f"{number}.jsonl.gz").write_bytes(packed)
    with pytest.raises(
        AssayError, match=r"MB of text could not be read \(10%\), truncated \(1\): "
    ):
        guard(tmp_path / "strict", corpus, 0.09)
    guard(tmp_path / "lenient", corpus, 0.11)


def test_single_records_count_as_records(tmp_path):
    (tmp_path / "a.jsonl").write_text(ROWS + "no JSON\n" * 100)
    with pytest.raises(AssayError, match="100 of 500 records could not be read"):
        guard(tmp_path / "run", tmp_path / "a.jsonl", 0.1)
