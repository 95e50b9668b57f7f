"""`assay report`: database and report, built again."""

from flows.commands.options import Json, RunFolder
from weighting.storage.lock import locking


def report(run: RunFolder, as_json: Json = False) -> None:
    """Build a run's database and HTML report again, e.g. after an ablation."""
    from flows.operations.log import keeping_log
    from flows.operations.output import describe_run, telling
    from flows.operations.standing import require_finished
    from flows.run import presentation
    from flows.run.folder import open_run

    with telling(as_json) as output:
        open_run(run)
        require_finished(run)
        with locking(run), keeping_log(run) as log:
            log.open()
            presentation.present(run, output.console)
        output.facts |= describe_run(run)
