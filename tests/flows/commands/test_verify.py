"""`assay verify`: outputs against the checksums of the manifest."""

import json
import shutil

from typer.testing import CliRunner

from flows.commands.app import app
from tests.flows.invoking import invoke
from weighting.errors import AssayError


def test_verify_compares_every_checksum(finished, tmp_path):
    run, _ = finished
    assert "every checksum right" in invoke("verify", run)
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / "tokenizer.json").write_text("{}")
    (copy / "documents" / "000000.parquet").unlink()
    (copy / "shards" / "train-foreign.arrow").touch()
    runner = CliRunner()
    result = runner.invoke(app, ["verify", str(copy), "--json"])
    assert isinstance(result.exception, AssayError)
    told = json.loads(result.stdout)
    assert [fault["path"] for fault in told["faults"]] == [
        *("documents/000000.parquet", "shards/train-foreign.arrow", "tokenizer.json"),
    ]
    assert told["exit_code"] == result.exception.exit_code == 2
    assert "2 of 47 files" in told["error"].replace(str(told["files"]), "47")
    lines = runner.invoke(app, ["verify", str(copy)]).stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [fault["path"] for fault in told["faults"]]
