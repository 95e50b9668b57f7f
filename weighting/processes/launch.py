"""Processes of assay's own: they run this code, and never import from the current folder.

`python -m MODULE` puts the current folder first in Python's path, and so does an empty entry in
PYTHONPATH. A `copy.py` there would take the place of the standard library's, and a folder
`pipelines` or another checkout that of the code that the parent runs. So a child is started as

    python -P ROOT/weighting/processes/launch.py PARENT MODULE ARGUMENTS

and this module, run as a script, takes assay's packages from ROOT, the folder in which the parent
found them, and everything else from where Python finds it. PARENT is the process id of the parent,
which the child does not outlive.
"""

import importlib
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # the folder of the packages
PACKAGES = ("weighting", "pipelines", "trainer", "flows")


def list_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module of assay in a child of this process."""
    script = str(Path(__file__).resolve())
    return [sys.executable, "-P", script, str(os.getpid()), module, *arguments]


def isolate() -> None:
    """Take assay's packages from ROOT from now on, and nothing from the current folder.

    ROOT itself is looked at last: what is found nowhere else may lie beside the packages.
    """
    drop_current_folder(sys.path, os.environ.get("PYTHONPATH", ""))
    root = str(ROOT)
    sys.path.insert(0, root)
    for package in PACKAGES:
        if (ROOT / package).is_dir():
            importlib.import_module(package)  # its modules are found through it
    del sys.path[0]
    if root not in sys.path:
        sys.path.append(root)


def drop_current_folder(path: list[str], named: str) -> None:
    """Take the current folder off the start of Python's path, unless PYTHONPATH names it.

    `named` is PYTHONPATH. What Python itself and its packages lie in comes after that, and stays.
    """
    try:
        here, entries = str(Path.cwd()), named.split(os.pathsep)
    except FileNotFoundError:  # it is gone, and nothing can be imported from it
        return
    if here in (str(Path(entry).absolute()) for entry in entries if entry):
        return
    path[: len(entries)] = [one for one in path[: len(entries)] if one not in ("", here)]


def _run(parent: int, arguments: Sequence[str]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a parent that ends ignores it, and sends it
    isolate()
    from weighting.processes.parent import follow_parent

    follow_parent(parent)
    sys.argv = list(arguments)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run(int(sys.argv[1]), sys.argv[2:])
