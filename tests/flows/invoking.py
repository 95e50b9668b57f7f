"""The assay command, run in this process or in one of its own."""

import subprocess
import sys

from typer.testing import CliRunner

from flows.commands.app import app


def invoke(*arguments) -> str:
    """Run the command; return what it prints, raise what it raises."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def call(*arguments, **options) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "flows", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def check_recipe(path) -> list[str]:
    """Run `assay recipe check`; return the lines that it says of a recipe that is not valid."""
    result = CliRunner().invoke(app, ["recipe", "check", str(path)])
    assert result.exit_code == 2
    return result.output.splitlines()
