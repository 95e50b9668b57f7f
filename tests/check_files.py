"""Say which text files end wrongly, have blanks at the end of a line, or are bad TOML.

python tests/check_files.py [FILE…]     # without files, all that git knows
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path


def find_faults(path: Path) -> Iterator[str]:
    """Yield what is wrong with a text file."""
    text = path.read_text(encoding="utf-8")
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield "does not end in one newline"
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield f"line {number} ends in blanks"
    if path.suffix == ".toml":
        try:
            tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            yield str(error)


def main(names: list[str]) -> int:
    """Print all faults; return 1 where there are any."""
    if not names:
        listed = subprocess.run(["git", "ls-files"], capture_output=True, check=True, text=True)
        names = listed.stdout.splitlines()
    faults = [f"{name}: {fault}" for name in names for fault in find_faults(Path(name))]
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
