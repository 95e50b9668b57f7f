"""What a run is made of, before anything is written."""

from dataclasses import replace

import numpy as np
import pytest

from trainer.config.flat import override
from trainer.config.schema import ResolvedConfig
from trainer.machine.process_group import ALONE
from trainer.run.setup import set_up
from trainer.run.train import train
from weighting.errors import AssayError


def test_a_set_up_fits_machine_and_data(tiny, tmp_path):
    setup = set_up(replace(tiny, threads=0), tmp_path / "out", ALONE)
    assert isinstance(setup.config, ResolvedConfig)
    assert setup.identity.data == setup.corpus.fingerprint
    assert setup.identity.config["threads"] == setup.config.threads > 0
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("run.json", "out: a run of assay curate; give the training run a folder of its own"),
        ("train-00000.arrow", "out: a folder of shards; give"),
        ("plan.json", "out: an ablation; give"),
        ("thesis.tex", "out: holds thesis.tex, and no training run; name a new folder"),
        ("step-00000003/record.json", "out: holds step-00000003, and no training run"),
        ("metrics.jsonl", "out: holds metrics.jsonl, and no training run"),
    ],
)
def test_a_folder_of_another_kind_is_left_alone(tiny, tmp_path, name, message):
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    content = '{"inputs": [], "recipe": {}, "code": "", "arms": []}'
    path.write_text(content)
    with pytest.raises(AssayError) as caught:
        train(tiny, tmp_path / "out")
    assert message in str(caught.value)
    assert [one for one in (tmp_path / "out").rglob("*") if one.is_file()] == [path]
    assert path.read_text() == content


def test_what_a_run_said_and_an_ablation_wrote_may_be_there(tiny, tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("log.txt", "nohup.out", "slurm-12.err", "config.json", ".hidden"):
        (tmp_path / "out" / name).write_text("{}")
    assert train(tiny, tmp_path / "out") is not None
    (tmp_path / "out" / "notes.md").write_text("mine, added to a finished run")
    assert train(tiny, tmp_path / "out") is not None


def test_what_is_odd_is_told_and_kept(tiny, write_corpus, tmp_path):
    heavy = str(write_corpus("heavy", weigh=lambda ids: (ids % 3 + 9).astype(np.float32)))
    config = override(tiny, {"shards": heavy, "objective": "weighted", "batch": 300})
    said = []
    result = train(config, tmp_path / "out", warn=said.append)
    assert result is not None
    assert result.warnings == tuple(said)
    assert any("training weights average 9." in line for line in said)
    assert any("a batch of 300 windows is more than the" in line for line in said)
    plain = set_up(override(config, {"objective": "plain", "batch": 4}), tmp_path / "a", ALONE)
    assert not any("weights" in line for line in plain.warnings)


def test_a_window_longer_than_the_split_is_refused(tiny, tmp_path):
    with pytest.raises(AssayError, match=r"context 100,000,000 is longer than the training split"):
        train(override(tiny, {"context": 10**8}), tmp_path / "out")


def test_the_reference_is_part_of_the_data(tiny, tmp_path):
    train(tiny, tmp_path / "reference")
    values = {"objective": "selective", "reference": str(tmp_path / "reference")}
    setup = set_up(override(tiny, values), tmp_path / "out", ALONE)
    assert setup.identity.data.reference_sha256 is not None
    assert len(setup.identity.data.reference_sha256) == 64
    assert replace(setup.identity.data, reference_sha256=None) == setup.corpus.fingerprint


def test_equal_weights_are_no_weighted_run_unless_that_is_wanted(tiny, write_corpus, tmp_path):
    ones = replace(tiny, shards=str(write_corpus("ones", weigh=np.ones_like)))
    weighted = override(ones, {"objective": "weighted"})
    with pytest.raises(AssayError, match="objective 'weighted' would be plain"):
        set_up(weighted, tmp_path / "out", ALONE)
    set_up(replace(weighted, allow_uniform_weights=True), tmp_path / "out", ALONE)
