"""Smoke test of what is shipped: the wheel in a fresh environment, run from another folder.

    python tests/wheel_smoke.py

Builds the wheel, installs it with its extras, imports the four packages, asks both commands for
help, and curates a small corpus with two Beam worker processes. Exits non-zero on any failure.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMPORTS = """
import pathlib, sys
import flows, pipelines, trainer, weighting
for module in (flows, pipelines, trainer, weighting):
    path = pathlib.Path(module.__file__)
    assert path.is_relative_to(sys.prefix), f"{path} is not the wheel's"
"""
PROSE = "The dog and the cat have to be with that other animal of house number {}. "


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command in `cwd`; show it, and what it said if it fails."""
    print("$", *command, flush=True)  # noqa: T201 - a script
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}\nexit code {done.returncode}")
    return done.stdout


def main() -> None:
    """Build, install, run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", folder / "dist", ROOT, cwd=folder)
        wheel = next((folder / "dist").glob("*.whl"))
        venv.create(folder / "env", with_pip=True)
        binaries = folder / "env" / "bin"
        pip = (binaries / "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt")
        run(*pip, f"{wheel}[data,train]", cwd=folder)
        run(binaries / "python", "-c", IMPORTS, cwd=folder)
        run(binaries / "assay", "--help", cwd=folder)
        run(binaries / "trainer", "--help", cwd=folder)
        rows = [{"text": PROSE.format(i) * 8} for i in range(200)]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "corpus.jsonl").write_text(lines, encoding="utf-8")
        curate = ("curate", "corpus.jsonl", "--out", "run", "--recipe", "minimal", "--workers", "2")
        run(binaries / "assay", *curate, cwd=folder)
        manifest = json.loads((folder / "run" / "manifest.json").read_bytes())
        kept = manifest["counts"]["documents"]["records"]["kept"]
        if kept != len(rows):
            sys.exit(f"{kept} of {len(rows)} documents kept")
    print("wheel smoke: ok")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
