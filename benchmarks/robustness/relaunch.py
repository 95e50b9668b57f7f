"""Commands that are launched, killed, launched again, with other flags, and twice at once.

python -m benchmarks.robustness.relaunch OUT [--actions 200] [--seed 0] [--run RUN] [--log FILE]

The commands are `trainer train`, `trainer ablate` and `assay weigh`, on a tiny corpus that is made
first, each with two sets of flags. A quiet run of every command and set says what is right. Then
actions are drawn: a command is launched in its folder and left alone, sent a signal at a random
moment (any that can be sent; to it alone or, as a terminal does, to its process group), or launched
a second time meanwhile. Checked after each: the exit code is one of a success, of an error of the
user, or of the signal; what is told of an error is one line, and no traceback; what says that it is
finished is what a quiet run of its flags left; no process is left. A finished folder makes place
for a new one; unfinished ones are finished at last. Prints a Markdown log; exit code 1 where
anything was wrong.
"""

import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.robustness.tiny_commands import Subject, list_subjects, prepare

PATIENCE = 300.0  # seconds for a command to end; for children to save
OURS = {"trainer", "flows", "pipelines.engine.worker"}  # modules that are run
LAUNCHER = "weighting/processes/launch.py"
NEITHER = {  # they end nothing
    *("SIGRTMIN", "SIGRTMAX", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT")
}
SIGNALS = sorted(number for number in signal.Signals if number.name not in NEITHER)
ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL)  # drawn more often


@dataclass
class Launch:
    """A process, its flags, and the file of what it says."""

    process: "subprocess.Popen[bytes]"
    flags: str
    said: Path

    def list_told(self) -> list[str]:
        """Return the lines that are about an error."""
        lines = self.said.read_text(errors="replace").splitlines()
        return [line for line in lines if line.startswith(("trainer: ", "assay: ", "Traceback"))]


@dataclass
class Trial:
    """All that was done, and what was wrong."""

    out: Path
    rng: random.Random
    subjects: list[Subject]
    done: Counter[str] = field(default_factory=Counter)
    finished: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def launch(self, subject: Subject, folder: Path, flags: str) -> Launch:
        """Start a command as the leader of a session of its own."""
        said = self.out / "said" / f"{len(self.started):04}.txt"
        with said.open("wb") as file:
            process = subprocess.Popen(
                subject.list_command(folder, flags),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self.started.append(process)
        return Launch(process, flags, said)

    def stop(self) -> None:
        """End what still runs, when the trial itself is ended."""
        for process in self.started:
            if process.poll() is None:
                process.kill()

    def note(self, subject: Subject, launch: Launch, what: str) -> None:
        """Note something that is wrong."""
        line = f"{subject.name} {launch.flags}: {what} ({launch.said.name})"
        self.wrong.append(line)
        sys.stderr.write(f"wrong: {line}\n")

    def act(self, subject: Subject) -> str:
        """Do one thing with a command; return what, in words."""
        folder = self.out / f"{subject.name}-{subject.folder}"
        others = [flags for flags in "ab" if flags != subject.refused]
        flags = self.rng.choice(others if len(others) == 1 else "aaab")
        launches = [self.launch(subject, folder, flags)]
        known = set[psutil.Process]()
        moment, number = self.draw_moment(subject), 0
        what = self.rng.choices(("signal", "twice", "alone"), (6, 3, 1))[0]
        with suppress(subprocess.TimeoutExpired):
            launches[0].process.wait(moment if what != "alone" else PATIENCE)
        if launches[0].process.poll() is not None:
            what = "alone"
        else:
            known |= list_family(launches[0].process.pid)
            if what == "signal":
                number = self.send(launches[0])
                what = signal.Signals(number).name
            else:
                launches.append(self.launch(subject, folder, self.rng.choice("ab")))
        for launch in launches:
            self.check(subject, folder, launch, number if launch is launches[0] else 0)
        self.check_processes(subject, launches, known)
        self.turn(subject, folder)
        return what

    def draw_moment(self, subject: Subject) -> float:
        """Return seconds after the start: mostly when the work has begun."""
        begin = 0.3 if self.rng.random() < 0.7 else 0.0
        return subject.seconds * self.rng.uniform(begin, 1.05)

    def send(self, launch: Launch) -> int:
        """Send a signal to a command, or to all of its process group; return its number."""
        number = self.rng.choice(SIGNALS if self.rng.random() < 0.5 else ENDING)
        with suppress(ProcessLookupError):
            if self.rng.random() < 0.3:
                os.killpg(launch.process.pid, number)
            else:
                launch.process.send_signal(number)
        return int(number)

    def check(self, subject: Subject, folder: Path, launch: Launch, number: int) -> None:
        """Wait for a command, and see how it ended and what it left."""
        try:
            code = launch.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.note(subject, launch, "does not end")
            launch.process.kill()
            code = launch.process.wait()
        if code not in {0, 2, 128 + number, -number}:
            self.note(subject, launch, f"exit code {code} after signal {number}")
        told = launch.list_told()
        if len(told) != (code in {2, 128 + number}) and not (code == 128 + number and not told):
            self.note(subject, launch, f"exit code {code}, told {told}")
        if code == 0 and subject.read(folder) != subject.quiet[launch.flags]:
            differing = self.differ(subject, launch, folder)
            self.note(subject, launch, f"not what a quiet run left: {differing}")
        if code == 2 and "another process works here" not in told[-1]:
            subject.refused = launch.flags

    def differ(self, subject: Subject, launch: Launch, folder: Path) -> str:
        """Return the names of files that are not those of a quiet run."""
        now, then = subject.read(folder) or {}, subject.quiet[launch.flags]
        return ", ".join(sorted(name for name in now | then if now.get(name) != then.get(name)))

    def check_processes(
        self, subject: Subject, launches: list[Launch], known: set[psutil.Process]
    ) -> None:
        """See that no process is left that a command started."""
        _, left = psutil.wait_procs(known, timeout=PATIENCE)
        parents = {str(launch.process.pid) for launch in launches}
        left += [one for one in psutil.process_iter() if is_of(one, self.out, parents)]
        for process in left:
            self.note(subject, launches[0], f"process {process.pid} is left")
            process.kill()

    def turn(self, subject: Subject, folder: Path) -> None:
        """Take a new folder where one is finished."""
        found = subject.read(folder)
        if found is None:
            return
        if found not in subject.quiet.values():
            self.wrong.append(f"{subject.name}: {folder.name} is what no quiet run left")
        self.finished[subject.name] += 1
        subject.folder, subject.refused = subject.folder + 1, ""

    def finish(self, subject: Subject) -> None:
        """Finish the folder that is under way, with the flags that it takes."""
        folder = self.out / f"{subject.name}-{subject.folder}"
        for flags in "ab":
            launch = self.launch(subject, folder, flags)
            self.check(subject, folder, launch, 0)
            if launch.process.returncode == 0:
                self.turn(subject, folder)
                return
        self.wrong.append(f"{subject.name}: {folder.name} cannot be finished")


def prepare_signals() -> None:
    """Let commands begin with the signals of a terminal, and write no memory to a file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)  # a shell ignores some for what it starts with &
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def list_family(pid: int) -> set[psutil.Process]:
    """Return a process and those it started."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return {process, *process.children(recursive=True)}
    return set()


def is_of(process: psutil.Process, out: Path, parents: set[str]) -> bool:
    """Say whether a process is of a command of ours: by its folder, or by its parent's number."""
    with suppress(psutil.Error):
        words = process.cmdline()
        if process.status() == psutil.STATUS_ZOMBIE or not OURS.intersection(words):
            return False
        is_there = any(f"{out}/" in word for word in words)
        return is_there or (LAUNCHER in " ".join(words) and not parents.isdisjoint(words))
    return False


def measure_quiet(trial: Trial) -> None:
    """Leave every command alone once with each set of flags."""
    for subject in trial.subjects:
        for flags in "ab":
            folder, start = trial.out / f"{subject.name}-quiet-{flags}", time.monotonic()
            if trial.launch(subject, folder, flags).process.wait():
                raise SystemExit(f"{subject.name} {flags} fails: see {trial.out / 'said'}")
            subject.seconds = time.monotonic() - start
            content = subject.read(folder)
            if content is None or content in subject.quiet.values():
                raise SystemExit(f"{subject.name} {flags} is not to be told from another")
            subject.quiet[flags] = content


def do_all(trial: Trial, actions: int) -> None:
    """Make the quiet runs, do the actions, finish what is unfinished."""
    measure_quiet(trial)
    for number in range(actions):
        [subject] = trial.rng.choices(trial.subjects, (5, 2, 3))
        what = trial.act(subject)
        trial.done[f"{subject.name} {what}"] += 1
        sys.stderr.write(f"{number + 1} {subject.name} {what}; wrong: {len(trial.wrong)}\n")
    for subject in trial.subjects:
        trial.finish(subject)


def write_log(trial: Trial, command: str, seconds: float) -> str:
    """Return the Markdown log."""
    done = ", ".join(f"{name} {count}" for name, count in sorted(trial.done.items()))
    finished = ", ".join(f"{name} {count}" for name, count in sorted(trial.finished.items()))
    return "\n".join(
        [
            f"`{command}`: {len(trial.started)} launches, {seconds:.0f} s.",
            f"Actions: {done}. Folders finished, each as a quiet run left it: {finished}.",
            f"Wrong: {len(trial.wrong)}.",
            *(f"- {line}" for line in trial.wrong),
            "",
        ]
    )


def main() -> None:
    """Draw the actions, check after each, print the log."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder to make")
    parser.add_argument("--actions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=Path, help="a finished run; without one a tiny one is made")
    parser.add_argument("--log", type=Path, help="file for the log")
    given = parser.parse_args()
    out, rng, start = given.out.absolute(), random.Random(given.seed), time.monotonic()
    prepare_signals()
    (out / "said").mkdir(parents=True)
    run = given.run.absolute() if given.run else prepare(out, rng)
    trial = Trial(out, rng, list_subjects(run))
    try:
        do_all(trial, given.actions)
    finally:
        trial.stop()
    command = f"python -m benchmarks.robustness.relaunch OUT --actions {given.actions}"
    log = write_log(trial, f"{command} --seed {given.seed}", time.monotonic() - start)
    print(log)
    if given.log:
        given.log.write_text(log, encoding="utf-8")
    if trial.wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
