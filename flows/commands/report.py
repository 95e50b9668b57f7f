"""`assay report`: database and report, built again."""

from rich.console import Console

from flows.commands.options import RunFolder
from weighting.storage.lock import locking


def report(run: RunFolder) -> None:
    """Build a run's database and HTML report again, e.g. after an ablation."""
    from flows.run import presentation
    from flows.run.folder import open_run

    open_run(run)
    with locking(run):
        presentation.present(run, Console())
