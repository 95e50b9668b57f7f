"""Forward passes told beforehand are those that scoring makes."""

import numpy as np
import pytest
import torch

from tests.trainer.conftest import TOKENIZER
from tests.trainer.scoring.test_scorer import (
    CONTEXT,
    OFFSETS,
    SIZES,
    draw_ids,
    make_settings,
)
from tests.trainer.scoring.test_scorer import write_run as write_run
from trainer.scoring import cost
from trainer.scoring.cost import count_passes, plan_passes
from trainer.scoring.predictions import BATCH_TOKENS
from trainer.scoring.reference import OwnModel
from trainer.scoring.scorer import Scorer


@pytest.mark.parametrize(
    ("settings", "models"),
    [({}, 1), ({"checkpoints": 3}, 3), ({"short": 3}, 1), ({"second": True, "short": 2}, 2)],
)
def test_what_is_planned_is_what_is_read(write_run, monkeypatch, settings, models):
    run = write_run(steps=(1, 2, 3))
    if "second" in settings:
        settings = settings | {"second": str(write_run("second"))}
    monkeypatch.setattr(cost, "LEAST_SECONDS", 0.0)
    scorer = Scorer(make_settings(run, **settings), TOKENIZER)
    planned = plan_passes(scorer.models, np.array(SIZES))
    read, real = [], OwnModel.read

    def spy(self, inputs_BxT, firsts_B, cells_M):
        read.append(inputs_BxT.numel())
        return real(self, inputs_BxT, firsts_B, cells_M)

    monkeypatch.setattr(OwnModel, "read", spy)
    monkeypatch.setitem(BATCH_TOKENS, "cpu", 1)  # one window at a time: none is padded
    scorer.score(draw_ids(), OFFSETS, 0)
    assert sum(one.passes for one in planned) * sum(SIZES) == pytest.approx(sum(read))
    assert len(planned) == min(models, 2)
    assert {signal for one in planned for signal in one.signals} == set(scorer.signals)
    assert all(one.speed > 0 and one.seconds(100, 2) > 0 for one in planned)


def test_documents_that_fit_are_read_once_and_long_ones_twice():
    assert count_passes(100, np.array([1, 50, 100])) == 1
    assert count_passes(100, np.array([0])) == 0
    assert 1.9 < count_passes(100, np.array([10_000])) <= 2
    assert count_passes(10_000, np.array([10_000]), short=10) == pytest.approx(3, abs=0.02)


def test_a_probe_asks_for_no_more_than_a_model_sees(write_run, monkeypatch):
    model = Scorer(make_settings(write_run()), TOKENIZER).models.reference
    seen = []
    monkeypatch.setattr(cost, "LEAST_SECONDS", 0.0)

    def read(_, inputs_BxT, *__):
        seen.append(inputs_BxT.shape[1])

    monkeypatch.setattr(OwnModel, "read", read)
    monkeypatch.setattr(cost, "predict", lambda *_: (torch.zeros(1), torch.zeros(1)))
    assert cost.probe(model) > 0
    assert set(seen) == {CONTEXT}
