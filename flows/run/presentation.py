"""What a finished run is looked at by: its database, its report, and the closing summary."""

from pathlib import Path

from rich.console import Console

from flows.database.catalog import build_catalog
from flows.report import write_report
from flows.run.summary import print_paths, print_summary


def build_views(run: Path, console: Console) -> None:
    """Build the database and the report from the run's files."""
    with console.status("building database and report"):
        build_catalog(run)
        write_report(run)


def present(run: Path, console: Console) -> None:
    """Build database and report, print the summary and where the two lie."""
    build_views(run, console)
    print_summary(run, console)
    print_paths(run, console)
