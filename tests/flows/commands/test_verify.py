"""`assay verify`: outputs against the checksums of the manifest."""

import shutil

import pytest

from tests.flows.invoking import invoke
from weighting.errors import AssayError


def test_verify_compares_every_checksum(finished, tmp_path):
    run, _ = finished
    assert "every checksum right" in invoke("verify", run)
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / "tokenizer.json").write_text("{}")
    with pytest.raises(AssayError, match=r"tokenizer\.json: bytes differ"):
        invoke("verify", copy)
