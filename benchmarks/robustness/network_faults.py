"""Curations of inputs on servers that fail, stall, cut and lie, against an undisturbed one.

python -m benchmarks.robustness.network_faults OUT [--runs 100] [--commands 6]
                                                      [--seed 0] [--log FILE]

A web server and an S3-compatible one (moto's, behind one that disturbs it) on 127.0.0.1 serve a
small corpus. Each run draws where it reads, what goes wrong (FAULTS, no credentials, a dead
endpoint), whether while planning or while reading, how many files are hit, and whether the fault
passes. Most runs are the curate stage in this process; `--commands` of them are whole commands,
with two workers where reading is to be disturbed. A run must end in the bytes of the undisturbed
one, or in one line, without a finished stage; then it is run again without faults, with
`--overwrite` where another corpus was planned, and must give those bytes. Prints a Markdown table;
exit code 1 where a run ends otherwise.
"""

import argparse
import hashlib
import io
import json
import logging
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from benchmarks.robustness.faulty_server import FaultyServer, choose_none, serving
from benchmarks.robustness.network_trials import (
    ALL_FAULTS,
    Trial,
    disturb,
    draw_trials,
    make_corpus,
)
from flows.operations.log import RunLog
from flows.recipe.sources import load_recipe
from flows.run.folder import open_run
from flows.run.prepare import CurateRequest, prepare
from flows.run.session import Session
from flows.run.stages import curate_documents
from pipelines.engine.logs import quiet_beam
from pipelines.engine.runner import Engine
from pipelines.readers.streams import remote, retries
from pipelines.readers.streams.remote import COPIES
from weighting.errors import AssayError

OUTPUTS = ("documents", "dropped", "ledger", "quarantine")
SAME, ONE_LINE, WRONG = "the same bytes", "one line", "**otherwise**"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
RECIPE = """
name = "faults"
[tokenizer]
vocab_size = 300
[signals]
keep = false
"""


@dataclass
class Bench:
    """The servers, the recipe, and what an undisturbed run gives."""

    out: Path
    recipe: Path
    servers: dict[str, FaultyServer]
    calm: dict[bool, dict[str, str]] = field(default_factory=dict)  # of whole commands, of stages

    def spec(self, trial: Trial) -> str:
        """Return what names the corpus."""
        server = self.servers[trial.scheme]
        if trial.fault == "dead endpoint" and trial.scheme == "http" and not trial.again:
            return "http://127.0.0.1:1/corpus/"
        return "s3://corpus" if trial.scheme == "s3" else f"{server.url}/corpus/"

    def environment(self, trial: Trial, disturbed: bool) -> dict[str, str]:
        """Return what a run's environment holds of S3."""
        found = {**CREDENTIALS, "AWS_ENDPOINT_URL": self.servers["s3"].url}
        if disturbed and trial.fault == "no credentials":
            del found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]
        if disturbed and trial.fault == "dead endpoint":
            found["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
        return found


def run_here(bench: Bench, trial: Trial, rng: random.Random, disturbed: bool, anew: bool) -> None:
    """Run the curate stage in this process; raises what it raises."""
    folder = bench.out / f"run-{trial.number}"
    quiet = Console(file=io.StringIO(), stderr=False)
    calm = disturb(trial, rng, list(bench.servers["http"].files))
    server = bench.servers[trial.scheme]

    def enter(phase: str) -> None:
        faulty = disturbed and trial.phase in (phase, "both")
        server.start_over(calm if faulty else choose_none)

    enter("plan")
    recipe = load_recipe(str(bench.recipe))
    request = CurateRequest([bench.spec(trial)], folder, recipe, overwrite=anew)
    try:
        prepare(request, quiet)
        trial.hits += sum(server.hits.values())
        COPIES.forget()  # as another process has none
        enter("read")
        curate_documents(folder, Session(Engine(), quiet, RunLog(folder)))
    finally:
        trial.hits += sum(server.hits.values())


def run_command(
    bench: Bench, trial: Trial, rng: random.Random, disturbed: bool, anew: bool
) -> None:
    """Run the whole command; raises AssayError with its line, else RuntimeError with all."""
    server = bench.servers[trial.scheme]
    calm = disturb(trial, rng, list(bench.servers["http"].files))
    server.start_over(calm if disturbed else choose_none)
    workers = "1" if trial.phase == "plan" else "2"
    folder = bench.out / f"run-{trial.number}"
    command = [sys.executable, "-m", "flows", "curate", bench.spec(trial), "--out", str(folder)]
    command += ["--recipe", str(bench.recipe), "--workers", workers]
    command += ["--overwrite"] if anew else []
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    trial.hits += sum(server.hits.values())
    if done.returncode == 0:
        return
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("assay: ")]
    if len(told) == 1 and lines[-1] == told[0] and "Traceback" not in done.stderr:
        raise AssayError(told[0].removeprefix("assay: "))
    raise RuntimeError(done.stderr)


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set the variables of S3, and open connections anew."""
    names = {*values, *CREDENTIALS}
    before = {name: os.environ.get(name) for name in names}
    for name in names:
        os.environ.pop(name, None)
    os.environ.update(values)
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def attempt(bench: Bench, trial: Trial, seed: int, disturbed: bool, anew: bool) -> tuple[str, str]:
    """Run once; return how it ended and what was told."""
    folder = bench.out / f"run-{trial.number}"
    with environment(bench.environment(trial, disturbed)):
        try:
            run = run_command if trial.command else run_here
            run(bench, trial, random.Random(seed), disturbed, anew)
        except AssayError as error:
            told = str(error)
            done = (folder / "run.json").exists() and open_run(folder).is_done("curate")
            return (WRONG if "\n" in told or done else ONE_LINE), told
        except Exception as error:
            return WRONG, f"{type(error).__name__}: {error}"
    same = list_hashes(folder) == bench.calm.setdefault(trial.command, list_hashes(folder))
    return (SAME if same else WRONG), ""


def try_trial(bench: Bench, trial: Trial, seed: int) -> None:
    """Run with faults, and without them where that failed."""
    start = time.monotonic()
    trial.outcome, trial.told = attempt(bench, trial, seed, disturbed=True, anew=False)
    if trial.outcome == ONE_LINE:
        trial.again = "runs again"
        again, told = attempt(bench, trial, seed, disturbed=False, anew=False)
        if again == ONE_LINE and "--overwrite" in told:
            trial.again = "runs with --overwrite"
            again, told = attempt(bench, trial, seed, disturbed=False, anew=True)
        if again != SAME:
            trial.outcome, trial.again = WRONG, f"{again}: {told}"
    trial.seconds = time.monotonic() - start


def list_hashes(run: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that the curate stage writes."""
    paths = (path for name in OUTPUTS for path in sorted((run / name).glob("*")))
    return {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


def write_table(trials: Sequence[Trial]) -> str:
    """Return the outcomes by fault as a Markdown table."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for trial in trials:
        counts = rows[trial.fault]
        counts.update(["runs", trial.outcome, *([trial.again] if trial.again else [])])
        counts["hit"] += trial.hits > 0 or trial.fault in ALL_FAULTS[-2:]
    columns = ("runs", "hit", SAME, ONE_LINE, WRONG, "runs again", "runs with --overwrite")
    head = ["| fault | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    body = [
        f"| {fault} | " + " | ".join(str(rows[fault][name]) for name in columns) + " |"
        for fault in ALL_FAULTS
    ]
    total: Counter[str] = sum(rows.values(), Counter())
    return "\n".join(
        [*head, *body, "| all | " + " | ".join(str(total[name]) for name in columns) + " |"]
    )


@contextmanager
def open_bench(out: Path, seed: int) -> Iterator[Bench]:
    """Start the servers, fill them, and make the undisturbed run."""
    import boto3
    from moto.server import ThreadedMotoServer

    out.mkdir(parents=True, exist_ok=True)
    recipe = out / "faults.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    files = make_corpus(random.Random(seed))
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    with ExitStack() as stack:
        stack.callback(moto.stop)
        _, port = moto.get_host_and_port()
        servers = {
            "http": stack.enter_context(serving(files)),
            "s3": stack.enter_context(serving(files, upstream=port)),
        }
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        store = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", **keys
        )
        store.create_bucket(Bucket="corpus")
        for name, body in files.items():
            store.put_object(Bucket="corpus", Key=name.removeprefix("/corpus/"), Body=body)
        yield Bench(out, recipe, servers)


def main() -> int:
    """Run all trials; print the table and what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--commands", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path)
    args = parser.parse_args()
    quiet_beam()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ["ASSAY_READ_SECONDS"] = "1"
    remote.READ_SECONDS, retries.WAITS = 1.0, (0.05, 0.1, 0.2)
    trials = draw_trials(random.Random(args.seed), args.runs, args.commands)
    with open_bench(args.out, args.seed) as bench:
        for number, command in enumerate((False, False, *([True] if args.commands else []))):
            scheme = ("http", "s3")[number % 2]
            calm = Trial(-1 - number, scheme, "none", "plan", 0, 0, command)
            outcome, told = attempt(bench, calm, 0, disturbed=False, anew=True)
            if outcome != SAME:
                raise SystemExit(f"the undisturbed run fails: {told}")
        for trial in trials:
            try_trial(bench, trial, args.seed + trial.number)
            print(trial, file=sys.stderr)
    table = write_table(trials)
    print(table)
    if args.log:
        lines = (json.dumps(vars(trial), sort_keys=True) for trial in trials)
        args.log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 1 if any(trial.outcome == WRONG for trial in trials) else 0


if __name__ == "__main__":
    sys.exit(main())
