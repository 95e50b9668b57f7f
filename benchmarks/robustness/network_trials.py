"""What `network_faults` tries: a small corpus, and runs drawn with a seed."""

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.robustness.faulty_server import FAULTS, Choose

ALL_FAULTS = (*FAULTS, "no credentials", "dead endpoint")
FILES, RECORDS = 6, 60
WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "that",
    "river",
    "stone",
    "garden",
    "letter",
    "answer",
    "evening",
    "window",
    "people",
]


@dataclass
class Trial:
    """One run: what was disturbed and how, and what came of it."""

    number: int
    scheme: str
    fault: str
    phase: str
    share: float
    times: int
    command: bool
    outcome: str = ""
    again: str = ""
    told: str = ""
    hits: int = 0
    seconds: float = 0.0


def make_corpus(rng: random.Random) -> dict[str, bytes]:
    """Return JSONL files of random prose, half of them compressed."""
    files = {}
    for number in range(FILES):
        rows = ({"text": write_prose(rng)} for _ in range(RECORDS))
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        packed = number % 2
        name = f"/corpus/{number}.jsonl" + (".gz" if packed else "")
        files[name] = gzip.compress(lines, mtime=0) if packed else lines
    return files


def write_prose(rng: random.Random) -> str:
    """Return a few sentences."""
    sentences = (" ".join(rng.choices(WORDS, k=12)).capitalize() + "." for _ in range(9))
    return "\n".join(sentences)


def draw_trials(rng: random.Random, runs: int, commands: int) -> list[Trial]:
    """Draw the runs: every fault about equally often, over both schemes, in both phases."""
    trials = []
    for number in range(runs):
        fault = ALL_FAULTS[number % len(ALL_FAULTS)]
        scheme = "s3" if fault == "no credentials" else rng.choice(("http", "s3"))
        passing = rng.random() < 0.5
        trials.append(
            Trial(
                number=number,
                scheme=scheme,
                fault=fault,
                phase="plan" if fault in ALL_FAULTS[-2:] else rng.choice(("plan", "read", "both")),
                share=rng.choice((0.2, 0.5, 1.0)),
                times=rng.randint(1, 3) if passing else 10**6,
                command=False,
            )
        )
    disturbing = [trial for trial in trials if trial.fault in FAULTS]
    for trial in rng.sample(disturbing, min(commands, len(disturbing))):
        trial.command = True
        trial.phase = trial.phase if trial.phase == "plan" else "read"
    return trials


def disturb(trial: Trial, rng: random.Random, files: Sequence[str]) -> Choose:
    """Return what chooses the faults of a phase: of some files, so many times each."""
    count = max(1, round(trial.share * len(files)))
    names = {name.rpartition("/")[2] for name in rng.sample(sorted(files), count)}
    # A command with workers gets each file once to plan it, then in each worker.
    skipped = 1 if trial.command and trial.phase == "read" else 0

    def choose(path: str, before: int) -> str | None:
        hit = path.rpartition("/")[2] in names and skipped <= before < skipped + trial.times
        return trial.fault if hit and trial.fault in FAULTS else None

    return choose
