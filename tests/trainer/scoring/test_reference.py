"""Models of finished runs: loaded as they were saved, refused where they do not fit."""

import pytest
import torch

from tests.trainer.conftest import TOKENIZER
from trainer.config.flat import override
from trainer.data.corpus import open_corpus
from trainer.machine.process_group import ALONE
from trainer.machine.resources import resolve
from trainer.run.checkpoint import find_newest, read_tensors
from trainer.run.train import train
from trainer.scoring.reference import (
    find_reference_sha256,
    load_model_of,
    load_own,
    load_reference,
)
from weighting.errors import AssayError
from weighting.storage.files import sha256


@pytest.fixture
def run(tiny, tmp_path):
    train(tiny, tmp_path / "trained")
    return tmp_path / "trained"


def test_a_model_is_that_of_the_newest_checkpoint(run):
    model, record = load_model_of(run, "cpu")
    assert record.step == 6
    for name, tensor in read_tensors(find_newest(run), "model").items():
        assert model.state_dict()[name].equal(tensor)


def test_a_reference_is_frozen_and_known_by_its_checksum(tiny, run):
    corpus = open_corpus(tiny.shards)
    assert load_reference(resolve(tiny, ALONE), corpus) is None
    assert find_reference_sha256(tiny) is None
    config = override(tiny, {"objective": "selective", "reference": str(run)})
    reference = load_reference(resolve(config, ALONE), corpus)
    assert reference is not None
    assert not reference.training
    assert not any(parameter.requires_grad for parameter in reference.parameters())
    assert find_reference_sha256(config) == sha256(find_newest(run) / "model.safetensors")


def test_a_scoring_model_reads_the_hidden_states_of_the_cells(run):
    scoring = load_own(find_newest(run), TOKENIZER, "cpu", 1)
    inputs = torch.arange(6).view(2, 3)
    readout = scoring.read(inputs, torch.zeros(2), torch.tensor([5, 0]))
    hidden = scoring.model.encode(inputs).flatten(0, 1)
    torch.testing.assert_close(readout.hidden_MxC, hidden[[5, 0]])
    with pytest.raises(AssayError, match="ids of another tokenizer"):
        load_own(find_newest(run), "f" * 64, "cpu", 1)
