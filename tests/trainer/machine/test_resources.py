"""What of this machine a run uses: decided once, and refused where it does not fit."""

import gc

import pytest

from trainer.config.flat import override
from trainer.config.schema import ResolvedConfig, TrainConfig
from trainer.machine.process_group import ALONE, Ranks
from trainer.machine.resources import has_native_bfloat16, list_warnings, quiet_collector, resolve
from weighting.errors import AssayError


def test_resolving_leaves_nothing_to_the_machine_and_keeps_what_is_given():
    resolved = resolve(TrainConfig(), ALONE)
    assert "auto" not in (resolved.device, resolved.precision, resolved.compile)
    assert resolved.threads >= 1
    assert resolved.ranks == 1
    assert isinstance(resolved, ResolvedConfig)
    assert resolve(resolved, ALONE) == resolved
    given = TrainConfig(device="cpu", threads=3, precision="bfloat16", compile="on")
    kept = resolve(given, ALONE)
    assert (kept.device, kept.threads, kept.precision) == ("cpu", 3, "bfloat16")
    assert kept.compile == "on"


def test_threads_are_shared_by_the_processes_of_a_machine(monkeypatch):
    monkeypatch.setattr("trainer.machine.resources.count_cores", lambda: 8)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert resolve(TrainConfig(), Ranks(0, 4)).threads == 2


@pytest.mark.parametrize(
    ("values", "ranks", "message"),
    [
        ({"ranks": 2}, ALONE, "ranks is 2, but 1 process runs; start the run with torchrun"),
        ({"batch": 7}, Ranks(0, 2), "batch 7 does not split over 2 processes"),
        ({"batch": 12, "micro": 5}, ALONE, "micro 5 does not divide a process's 12 windows"),
    ],
)
def test_windows_that_do_not_split_are_refused(values, ranks, message):
    with pytest.raises(AssayError, match=message):
        resolve(override(TrainConfig(), values), ranks)


@pytest.mark.parametrize(
    ("instructions", "native"),
    [
        ({"architecture": "x86_64", "avx512_f": True, "avx512_bf16": False}, False),
        ({"architecture": "x86_64", "avx512_bf16": True}, True),
        ({"architecture": "x86_64", "amx_bf16": True}, True),
        ({"architecture": "aarch64", "neon": True, "bf16": True}, True),
        ({"architecture": "aarch64", "neon": True}, False),
    ],
)
def test_bfloat16_that_a_cpu_emulates_is_said(monkeypatch, instructions, native):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: instructions)
    assert has_native_bfloat16("cpu") == native
    half, single = (
        resolve(TrainConfig(device="cpu", precision=name), ALONE)
        for name in ("bfloat16", "float32")
    )
    assert not list_warnings(single)
    assert ["emulates" in line for line in list_warnings(half)] == [True] * (not native)


def test_the_garbage_collector_is_quiet_and_as_before_afterwards(monkeypatch):
    told = []
    monkeypatch.setattr(gc, "unfreeze", lambda: told.append("unfrozen"))
    with quiet_collector():
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
        assert told == []
    assert gc.isenabled()
    assert told == ["unfrozen"]
