"""What scoring costs, in words: estimated from bytes, then counted from documents."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from flows.operations import scoring_cost
from flows.operations.scoring_cost import describe_cost, describe_estimate, estimate_passes
from tests.tiny_models import write_model
from trainer.scoring.cost import Passes
from weighting.signals.model_settings import ModelSettings

PASSES = [
    Passes("models/large", ("nll", "entropy", "context_gain"), 2.5, 1000.0),
    Passes("models/small", ("excess", "change"), 1.0, 4000.0),
]


def test_an_estimate_says_each_models_passes_and_the_time_of_one_process():
    assert list(describe_estimate(PASSES, 4_000_000)) == [
        "models/large: 2.5 forward passes a token for nll, entropy, context_gain; 1,000 a second "
        "here",
        "models/small: 1 forward passes a token for excess, change; 4,000 a second here",
        "scoring about 1,000,000 tokens takes one process about 45 min 50 s; estimated from the "
        "bytes of the inputs, before cleaning",
    ]
    assert list(describe_estimate([], 4_000_000)) == []


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The names of a model of others and of a weaker one."""
    folder = tmp_path_factory.mktemp("models")
    return [str(write_model(folder / name, name)) for name in ("llama", "gpt2")]


@pytest.fixture
def settings(models, monkeypatch):
    """Settings with both, whose probes take no longer than they must."""
    monkeypatch.setattr("trainer.scoring.cost.LEAST_SECONDS", 0.0)
    return ModelSettings(models[0], earlier=(models[1],), short=4)


def test_models_are_probed_for_an_estimate(settings):
    found = estimate_passes(settings, "")
    assert [one.model for one in found] == [settings.reference, *settings.earlier]
    assert [one.signals for one in found] == [
        ("nll", "entropy", "context_gain"),
        ("excess", "change"),
    ]
    assert all(one.passes >= 1 and one.speed > 0 for one in found)


def test_tokenized_documents_are_counted(settings, tmp_path, monkeypatch):
    (tmp_path / "tokenizer.json").write_text("{}")
    offsets = {0: [0, 10, 15], 1: [0, 5], 2: [0]}
    monkeypatch.setattr(
        scoring_cost,
        "load_tokens",
        lambda job, uid: SimpleNamespace(offsets_D1=np.array(offsets[uid])),
    )
    run: Any = SimpleNamespace(folder=tmp_path, job=None, sizes=lambda: offsets)
    *models, last = describe_cost(run, settings, 2)
    assert len(models) == 2
    assert last.startswith("scoring 20 tokens of 3 documents takes 2 processes about ")
