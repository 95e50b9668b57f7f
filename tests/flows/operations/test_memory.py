"""The memory that models take: counted from headers, held against what is free."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from flows.operations.memory import OWN, Need, check_memory, find_free_memory, measure_need
from tests.tiny_models import write_model
from trainer.scoring.model_files import inspect
from weighting.errors import AssayError
from weighting.signals.model_names import parse_model

GIGABYTE = 10**9


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The name of a small model of float32."""
    return parse_model(str(write_model(tmp_path_factory.mktemp("models") / "llama")))


def test_a_file_of_the_numbers_that_are_computed_with_is_shared(model):
    parameters = inspect(model).parameters
    assert measure_need([(model, 1), (model, 1)], 4) == Need(0, 0, 4 * parameters)
    assert measure_need([(model, 1)], 2) == Need(2 * parameters, 0, 0)


def test_other_numbers_are_copied(model, tmp_path):
    path = write_model(tmp_path / "half") / "model.safetensors"
    halves = {name: one.to(torch.bfloat16) for name, one in load_file(path).items()}
    save_file(halves, path, metadata={"format": "pt"})
    name = parse_model(str(path.parent))
    parameters = inspect(name).parameters
    assert measure_need([(name, 1)], 4) == Need(4 * parameters, 0, 0)
    assert measure_need([(name, 1)], 2) == Need(0, 0, 2 * parameters)


def test_of_a_training_run_every_checkpoint_that_scores_counts(tmp_path):
    step = tmp_path / "run" / "checkpoints" / "step-00000010"
    step.mkdir(parents=True)
    (step / "model.safetensors").write_bytes(b"x" * 100)
    assert measure_need([(parse_model(str(tmp_path / "run")), 3)], 4) == Need(300, 0, 0)


def test_a_gguf_file_is_in_memory_twice_while_it_loads(tmp_path):
    from tests.trainer.scoring.test_model_files import write_gguf

    name = parse_model(str(write_gguf(tmp_path / "a.gguf")))
    assert measure_need([(name, 1)], 4) == Need(4 * 256, 4 * 256, 0)


def test_every_process_has_models_of_its_own():
    need = Need(each=2 * GIGABYTE, loading=GIGABYTE, shared=3 * GIGABYTE)
    least = 2 * GIGABYTE + OWN + 4 * GIGABYTE
    check_memory(need, 1, least)
    with pytest.raises(AssayError, match=r"take 6.8 GB of memory, and 6.8 GB .*smaller models"):
        check_memory(need, 1, least - 1)
    more = least + 2 * (2 * GIGABYTE + OWN)
    check_memory(need, 3, more)
    with pytest.raises(AssayError, match=r"in 4 processes, and .* room for 3: give --workers 3$"):
        check_memory(need, 4, more)


def test_a_container_may_have_less_than_the_machine(tmp_path):
    limit, used = tmp_path / "max", tmp_path / "current"
    whole = find_free_memory(limits={})
    assert whole > 0
    limit.write_text("max\n")
    used.write_text("100\n")
    assert find_free_memory(limits={str(limit): str(used)}) > 1000
    limit.write_text("1000\n")
    assert find_free_memory(limits={str(limit): str(used), "gone": "gone"}) == 900
    used.write_text("2000\n")
    assert find_free_memory(limits={str(limit): str(used)}) == 0
