"""What a folder holds of a run that began there, and what a config that leaves it open takes over.

So the same command goes on with a run on a machine with more cores, or after its shards moved.
"""

from pathlib import Path

from trainer.config.flat import FlatConfig, flatten, override
from trainer.config.schema import AUTO, TrainConfig
from trainer.run import checkpoint
from trainer.run.identity import Begun
from trainer.run.places import SHARDS, open_own_corpus
from trainer.run.result import RESULT, RunResult
from weighting.storage.json_records import read_record

# Fields that a config may leave open, and what says that it does.
OPEN: FlatConfig = {
    "lr": AUTO,
    "warmup": AUTO,
    "threads": 0,
    "precision": "auto",
    "compile": "auto",
}


def find_stored(out: Path) -> Begun | None:
    """Return what the run in a folder says of itself, None where none began.

    Raises:
        AssayError: its result, or else its newest checkpoint, is damaged.
    """
    if (out / RESULT).exists():
        return read_record(RunResult, out / RESULT)
    latest = checkpoint.find_latest(out / "checkpoints")
    return checkpoint.read_record(latest) if latest else None


def adopt(config: TrainConfig, out: Path) -> TrainConfig:
    """Return a config with what it leaves open as the run in `out` has it, where one began.

    Raises:
        AssayError: what is there is damaged, or its shards, where none are named, are not found.
    """
    stored = find_stored(out)
    if stored is None:
        return config
    values = flatten(config)
    taken = {
        name: stored.config[name]
        for name, mark in OPEN.items()
        if values[name] == mark and name in stored.config
    }
    if not config.shards:
        taken[SHARDS] = str(open_own_corpus(out, stored)[0])
    return override(config, taken)
