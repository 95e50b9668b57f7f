"""Commands on a tiny corpus, and what they leave when they are finished."""

import hashlib
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORDS = "the harbour wall was built when ships were of wood and sails of cloth by hand"
SPEEDS = re.compile(r'"(tokens_per_second|matmul_share)": [^,}\]]*')
TRAINING = (
    *("--steps=400", "--batch=2", "--layers=1", "--width=16", "--heads=2", "--context=16"),
    *("--save-every=50", "--eval-every=100", "--log-every=20", "--eval-tokens=512"),
    *("--warmup=0", "--threads=1", "--device=cpu"),
)
RATES = {"a": "--lr=0.001", "b": "--lr=0.02"}
POLICIES = {"a": "--policy=soft", "b": "--policy=random"}


@dataclass
class Subject:
    """A command: its line for a folder and flags, and the content of what it finished."""

    name: str
    list_command: Callable[[Path, str], list[str]]
    read: Callable[[Path], dict[str, str] | None]  # None where nothing is finished
    folder: int = 0
    quiet: dict[str, dict[str, str]] = field(default_factory=dict)  # by flags
    seconds: float = 0.0
    refused: str = ""  # flags with which the folder was refused


def read_run(folder: Path) -> dict[str, str] | None:
    """Return the content of a finished training run, without speeds."""
    if not (folder / "result.json").exists():
        return None
    names = ("result.json", "metrics.jsonl", "evaluations.jsonl")
    content = {name: SPEEDS.sub("", (folder / name).read_text()) for name in names}
    for path in sorted((folder / "checkpoints").rglob("*.safetensors")):
        content[path.relative_to(folder).as_posix()] = hash_file(path)
    return content


def read_ablation(folder: Path) -> dict[str, str] | None:
    """Return the content of a finished ablation and of its runs, without speeds."""
    if not (folder / "results.json").exists():
        return None
    results = strip_speeds(json.loads((folder / "results.json").read_bytes()))
    content = {"results.json": json.dumps(results)}
    for run in sorted(folder.glob("*/seed-*")):
        name = run.relative_to(folder).as_posix()
        content |= {f"{name}/{file}": text for file, text in (read_run(run) or {}).items()}
    return content


def strip_speeds(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return JSON without what differs from run to run."""
    if isinstance(value, dict):
        kept = {name: strip_speeds(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if name != "tokens_per_second"}
    return [strip_speeds(one) for one in value] if isinstance(value, list) else value


def read_weights(folder: Path) -> dict[str, str] | None:
    """Return the hashes of a finished run's shards and statistics."""
    if not (folder / "manifest.json").exists():
        return None
    paths = [path for name in ("shards", "stats") for path in (folder / name).rglob("*")]
    return {
        path.relative_to(folder).as_posix(): hash_file(path) for path in paths if path.is_file()
    }


def hash_file(path: Path) -> str:
    """Return the hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def list_subjects(run: Path) -> list[Subject]:
    """Return the commands, on a run."""
    python, shards = (sys.executable, "-m"), f"--shards={run / 'shards'}"

    def train(folder: Path, flags: str) -> list[str]:
        return [*python, "trainer", "train", shards, f"--out={folder}", *TRAINING, RATES[flags]]

    def ablate(folder: Path, flags: str) -> list[str]:
        given = ("--seeds=0", "--jobs=2", f"--out={folder}", *TRAINING, RATES[flags])
        return [*python, "trainer", "ablate", shards, *given]

    def weigh(folder: Path, flags: str) -> list[str]:
        return [*python, "flows", "weigh", str(run), f"--out={folder}", POLICIES[flags]]

    return [
        Subject("train", train, read_run),
        Subject("ablate", ablate, read_ablation),
        Subject("weigh", weigh, read_weights),
    ]


def draw_documents(rng: random.Random) -> Iterator[str]:
    """Yield the lines of a corpus."""
    for number in range(300):
        words = " ".join(rng.choices(WORDS.split(), k=rng.randint(20, 60)))
        yield json.dumps({"id": f"d{number}", "text": words})


def prepare(out: Path, rng: random.Random) -> Path:
    """Make a corpus and a finished run of it; return the run."""
    corpus, recipe, run = out / "corpus.jsonl", out / "recipe.toml", out / "run"
    corpus.write_text("\n".join(draw_documents(rng)))
    recipe.write_text('name = "tiny"\n[split]\nvalidation = 0.2\n[tokenizer]\nvocab_size = 300\n')
    command = [sys.executable, "-m", "flows", "curate", str(corpus), "--out", str(run)]
    subprocess.run([*command, "--recipe", str(recipe)], check=True, stdout=sys.stderr)
    return run
