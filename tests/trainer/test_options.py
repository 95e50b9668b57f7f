"""Every objective, architecture and way of computing a batch trains, and resumes to the byte."""

import pytest
import torch

from trainer.config.flat import override
from trainer.objectives.registry import OWN
from trainer.run.checkpoint import find_newest, read_tensors
from trainer.run.checkpoint import read_record as read_checkpoint
from trainer.run.metrics import Metrics, read_metrics
from trainer.run.result import RunResult
from trainer.run.train import train
from weighting.errors import AssayError
from weighting.storage.json_records import read_record

# What is off by default, each with something that keeps state or draws another path.
OPTIONS = [
    {"architecture": "lstm"},
    {"architecture": "mamba2", "state": 8},
    {"positions": "alibi", "mask_documents": True},
    {"optimizer": "muon"},
    {"objective": "running", "packing": "best-fit"},
    {"objective": "face", "ce_chunk": 5},
    {"micro": 2, "schedule": "trapezoid", "lr_floor": 0.1},
    {"precision": "bfloat16", "deterministic": True},
    {"vocab": 40, "beta2": 0.99},
]


@pytest.fixture(autouse=True)
def no_lasting_setting():
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def reference(tiny, tmp_path):
    train(override(tiny, {"seed": 5}), tmp_path / "reference")
    return str(tmp_path / "reference")


def read_bytes(out):
    return {path.name: path.read_bytes() for path in find_newest(out).iterdir()}


class Kill(BaseException):
    """Ends a run as a kill does: nothing is saved."""


def die_at(step):
    def report(row):
        if row.step == step and isinstance(row, Metrics):
            raise Kill

    return report


@pytest.mark.slow  # two trainings each; `tests/trainer/run` has one of the plainest
@pytest.mark.parametrize("values", OPTIONS, ids=lambda values: "-".join(map(str, values)))
def test_a_killed_run_resumes_to_the_bytes_of_a_whole_one(tiny, tmp_path, values):
    config = override(tiny, values)
    train(config, tmp_path / "whole")
    with pytest.raises(Kill):
        train(config, tmp_path / "cut", die_at(5))
    assert read_checkpoint(find_newest(tmp_path / "cut")).step == 3
    train(config, tmp_path / "cut")
    assert read_bytes(tmp_path / "cut") == read_bytes(tmp_path / "whole")


@pytest.mark.parametrize("objective", sorted({*OWN} - {"plain", "selective"}))
def test_every_objective_trains_another_model_than_the_plain_one(tiny, tmp_path, objective):
    values = {"objective": objective, "longce_context": 2, "cvar_share": 0.5}
    train(tiny, tmp_path / "plain")
    result = train(override(tiny, values), tmp_path / "other")
    assert result is not None
    assert result.step == tiny.steps
    plain, other = (read_bytes(tmp_path / name) for name in ("plain", "other"))
    assert plain["model.safetensors"] != other["model.safetensors"]


def test_selective_subtracts_the_loss_of_a_frozen_run(tiny, reference, tmp_path):
    values = {"objective": "selective", "reference": reference, "select_share": 0.5}
    result = train(override(tiny, values), tmp_path / "out")
    rows = read_metrics(tmp_path / "out")
    # Half of the targets weigh 2, the others 0.
    assert [row.ess for row in rows] == pytest.approx([0.5] * 6, abs=1e-6)
    assert result is not None
    assert result.data.reference_sha256 is not None
    assert len(result.data.reference_sha256) == 64
    with pytest.raises(AssayError, match="made with select_share"):
        train(override(tiny, {**values, "select_share": 0.4}), tmp_path / "out")
    (record,) = (tmp_path / "reference" / "checkpoints").glob("*6/record.json")
    text = record.read_text().replace("0" * 64, "1" * 64)
    record.write_text(text)
    with pytest.raises(AssayError, match="reference is of another tokenizer"):
        train(override(tiny, values), tmp_path / "again")


def test_a_reference_that_sees_less_is_refused(tiny, reference, tmp_path):
    values = {"objective": "selective", "reference": reference, "context": 16}
    with pytest.raises(AssayError, match="sees 8 tokens, this run 16"):
        train(override(tiny, values), tmp_path / "out")


@pytest.mark.parametrize("values", [{"micro": 1}, {"micro": 2}, {"ce_chunk": 7}])
@pytest.mark.parametrize("packing", ["stream", "best-fit"])
def test_how_a_batch_is_computed_does_not_change_what_is_minimised(tiny, tmp_path, values, packing):
    base = {"objective": "weighted", "packing": packing, "steps": 3}
    train(override(tiny, base), tmp_path / "whole")
    train(override(tiny, {**base, **values}), tmp_path / "parts")
    whole, parts = (
        read_tensors(find_newest(tmp_path / name), "model") for name in ("whole", "parts")
    )
    for name in whole:
        torch.testing.assert_close(whole[name], parts[name], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"objective": "cvar", "micro": 2}, "'cvar' looks at a batch as a whole"),
        ({"objective": "focal", "ce_chunk": 4}, "'focal' weighs a token by this very forward"),
        ({"objective": "longce", "longce_context": 4}, "longce_context 4: its windows of 8 tokens"),
        ({"vocab": 20}, r"vocabulary \(32\) is larger than the model's \(vocab 20\)"),
    ],
)
def test_what_excludes_each_other_is_refused_before_anything_is_written(
    tiny, tmp_path, values, message
):
    with pytest.raises(AssayError, match=message):
        train(override(tiny, values), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_result_says_how_windows_were_packed_and_that_no_mass_was_lost(tiny, tmp_path):
    result = train(override(tiny, {"packing": "best-fit"}), tmp_path / "out")
    assert result is not None
    assert result.packing is not None
    assert result.packing.rule == "best-fit"
    assert result.packing.mass_lost == 0.0
    assert 0 < result.packing.padding_share < 1
    assert read_record(RunResult, tmp_path / "out" / "result.json") == result


def test_tensorboard_is_written_where_it_is_asked_for(tiny, tmp_path):
    train(tiny, tmp_path / "without")
    train(override(tiny, {"tensorboard": True}), tmp_path / "with")
    assert not (tmp_path / "without" / "tensorboard").exists()
    assert list((tmp_path / "with" / "tensorboard").glob("events*"))
