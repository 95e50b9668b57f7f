"""Runs that are killed at random moments, and started again, against one that was left alone.

python -m benchmarks.robustness.kill CORPUS... OUT [--kills 30] [--workers 2] [--recipe NAME]
                                                   [--seed 0] [--log FILE]

A run is started and killed with SIGKILL at a moment drawn uniformly from the time that the calm run
took: in turn all of its processes, or one worker alone. The same command is then started again. A
run that finishes is compared byte by byte with the calm one, and the next begins in a new folder.
Runs with 1, 2 and 4 workers and with the inputs in another order are compared as well. Prints a
Markdown log; exit code 1 where anything differs.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from pipelines.readers.inputs import expand

WORKERS = (1, 2, 4)
WORKER = "pipelines.engine.worker"
OTHERWISE = ("assay.duckdb", "report.html", "run.json", "stages")  # times, and where inputs lie
PATIENCE = 120.0  # seconds for a run to notice that its worker is gone


@dataclass
class Kill:
    """One kill: run, seconds from its start, who was hit, what was done, and what came of it."""

    run: int
    moment: float
    target: str
    done: str
    outcome: str = ""
    again: str = ""


@dataclass
class Trial:
    """What a whole benchmark is about, and what it found."""

    corpus: list[str]
    out: Path
    workers: int
    recipe: str
    rng: random.Random
    seconds: float = 0.0
    kills: list[Kill] = field(default_factory=list)
    verdicts: list[tuple[str, str]] = field(default_factory=list)

    def start(self, name: str, workers: int, corpus: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Start `assay curate` as the leader of a process group; what it says goes to NAME.log."""
        command = [sys.executable, "-m", "flows", "curate", *corpus, "--recipe", self.recipe]
        options = ["--out", str(self.out / name), "--workers", str(workers)]
        with (self.out / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [*command, *options], stdout=log, stderr=log, start_new_session=True
            )

    def finish(self, name: str, workers: int, corpus: Sequence[str]) -> float:
        """Run to the end; return the seconds it took."""
        start = time.monotonic()
        if self.start(name, workers, corpus).wait():
            raise SystemExit(f"{name} failed: {self.read_log(name)}")
        return time.monotonic() - start

    def compare(self, name: str, title: str) -> None:
        """Compare a finished run with the calm one."""
        calm, other = list_hashes(self.out / "calm"), list_hashes(self.out / name)
        wrong = sorted(path for path in calm | other if calm.get(path) != other.get(path))
        same = f"{len(calm)} files equal"
        self.verdicts.append((title, f"**differs**: {', '.join(wrong)}" if wrong else same))

    def read_log(self, name: str) -> str:
        """Return what a run said that matters: stages it skipped, and why it failed if it did."""
        lines = (self.out / f"{name}.log").read_text(errors="replace").splitlines()
        skipped = [line.split()[0] for line in lines if line.endswith("finished before, skipped")]
        told = [line.partition(";")[0] for line in lines if line.startswith("assay: ")]
        told = [line.replace(str(self.out), "OUT") for line in told]
        if any(line.startswith("Traceback") for line in lines):
            told.append("**traceback**")
        return "; ".join([*([f"skips {', '.join(skipped)}"] if skipped else []), *told])


def list_hashes(run: Path) -> dict[str, str]:
    """Return the hash of every file of a run that must not depend on how it went."""
    paths = (path for path in sorted(run.rglob("*")) if path.is_file())
    return {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.relative_to(run).parts[0] not in OTHERWISE
    }


def describe_progress(run: Path) -> str:
    """Return the finished stages, and how many units have finished each step of the present one."""
    stages = sorted((run / "stages").glob("*.json"), key=lambda path: path.stat().st_mtime)
    steps: dict[str, int] = {}
    with suppress(FileNotFoundError):  # the run goes on meanwhile
        done = sorted(run.glob("units/*/*/*.done.json"), key=lambda path: path.stat().st_mtime)
        for path in done:
            steps[path.parent.name] = steps.get(path.parent.name, 0) + 1
    parts = [f"{path.stem} done" for path in stages]
    return ", ".join([*parts, *(f"{step} {count}" for step, count in steps.items())]) or "nothing"


def find_workers(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """Return the Beam workers of a run."""
    found = []
    with suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):
                found += [child] if WORKER in child.cmdline() else []
    return found


def strike(trial: Trial, process: "subprocess.Popen[bytes]", run: int, moment: float) -> Kill:
    """Kill a run, or one of its workers where it has some; return what was hit and is left."""
    done = describe_progress(trial.out / f"run-{run}")
    workers = find_workers(process) if len(trial.kills) % 2 else []
    if not workers:
        _end(process)
        return Kill(run, moment, "all processes", done)
    with suppress(psutil.Error):
        trial.rng.choice(workers).kill()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        _end(process)
        return Kill(run, moment, "one worker", done, "**hangs**")
    left = "" if not any(map(_is_alive, workers)) else ", **orphans**"
    return Kill(run, moment, "one worker", done, f"exit code {process.returncode}{left}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def kill_runs(trial: Trial, kills: int) -> None:
    """Start, kill and start again until enough kills have landed and the last run has finished."""
    run = 0
    while len(trial.kills) < kills or any(kill.run == run for kill in trial.kills):
        before = [kill for kill in trial.kills if kill.run == run]
        process = trial.start(f"run-{run}", trial.workers, trial.corpus)
        moment = trial.rng.uniform(0, trial.seconds)
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment if len(trial.kills) < kills else None)
        if process.poll() is None:
            trial.kills.append(strike(trial, process, run, moment))
            print(f"kill {len(trial.kills)} of {kills}: {trial.kills[-1]}", file=sys.stderr)
        elif process.returncode:
            raise SystemExit(f"run {run} failed: {trial.read_log(f'run-{run}')}")
        if before:
            before[-1].again = trial.read_log(f"run-{run}") or "goes on"
        if process.returncode == 0:
            trial.compare(f"run-{run}", f"run {run}, killed {len(before)} times")
            run += 1


def write_log(trial: Trial, command: str) -> str:
    """Return the Markdown log."""
    rows = [
        f"| {number} | {kill.run} | {kill.moment:.1f} | {kill.target} | {kill.done} "
        f"| {kill.outcome} | {kill.again} |"
        for number, kill in enumerate(trial.kills, 1)
    ]
    return "\n".join(
        [
            "# Kills",
            "",
            f"`{command}`; the calm run took {trial.seconds:.1f} s.",
            "",
            "| kill | run | second | killed | done at that moment | ended | next start |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "| finished run | against the calm one |",
            "|---|---|",
            *(f"| {title} | {verdict} |" for title, verdict in trial.verdicts),
            "",
        ]
    )


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", nargs="+", help="as for assay curate")
    parser.add_argument("out", type=Path, help="folder to make")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--recipe", default="gopher")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="file for the log")
    return parser.parse_args()


def main() -> None:
    """Make the runs, compare them, print the log."""
    given = parse_arguments()
    given.out.mkdir(parents=True)
    rng = random.Random(given.seed)
    trial = Trial(given.corpus, given.out, given.workers, given.recipe, rng)
    trial.finish("warm", 1, given.corpus)  # kernels are compiled; its bytes are compared as well
    trial.seconds = trial.finish("calm", given.workers, given.corpus)
    trial.compare("warm", "1 worker")
    for workers in WORKERS[1:]:
        trial.finish(f"workers-{workers}", workers, given.corpus)
        trial.compare(f"workers-{workers}", f"{workers} workers")
    shuffled = [item.path for item in expand(given.corpus).found]
    rng.shuffle(shuffled)
    trial.finish("shuffled", given.workers, shuffled)
    trial.compare("shuffled", "inputs named one by one, in another order")
    kill_runs(trial, given.kills)
    names = " ".join(Path(name).name for name in given.corpus)
    options = f"--workers {given.workers} --recipe {Path(given.recipe).name} --seed {given.seed}"
    command = f"python -m benchmarks.robustness.kill {names} OUT --kills {given.kills} {options}"
    log = write_log(trial, command)
    print(log)
    if given.log:
        given.log.write_text(log, encoding="utf-8")
    if "**" in log:
        raise SystemExit("a run was not as the calm one, or did not end as it should")


if __name__ == "__main__":
    main()
