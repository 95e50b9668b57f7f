"""The LSTM starts by remembering."""

import torch

from trainer.config.schema import ModelConfig
from trainer.models import build_model


def test_forget_gates_alone_start_open():
    config = ModelConfig(architecture="lstm", layers=2, width=8)
    for block in build_model(config, 10, seed=0).blocks:
        weights = dict(block.named_parameters())
        total = weights["lstm.bias_ih_l0"] + weights["lstm.bias_hh_l0"]
        gates = [part.unique().tolist() for part in total.chunk(4)]
        assert gates == [[0.0], [1.0], [0.0], [0.0]]


def test_a_row_starts_from_nothing():
    config = ModelConfig(architecture="lstm", layers=2, width=8)
    model = build_model(config, 10, seed=0)
    torch.nn.init.normal_(model.head.weight)
    ids = torch.tensor([[1, 2, 3], [3, 2, 1]])
    together, alone = model(ids), model(ids[1:])
    torch.testing.assert_close(together[1:], alone)
