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
