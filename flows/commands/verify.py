"""`assay verify`: are the outputs still those that the run wrote?"""

from flows.commands.options import Json, RunFolder


def verify(run: RunFolder, as_json: Json = False) -> None:
    """Compare every output of a run with the checksums of its manifest; name all that differ."""
    from rich.text import Text

    from flows.operations.output import telling
    from flows.operations.standing import require_finished
    from flows.visible import show
    from pipelines.verify.checksums import describe_faults, list_faults

    with telling(as_json) as output:
        output.facts["run"] = str(run)
        files = require_finished(run).files
        faults = list_faults(run, files, output.console)
        output.facts |= {
            "files": len(files),
            "faults": [{"path": fault.path, "problem": fault.problem} for fault in faults],
        }
        for fault in faults:
            output.console.print(Text(show(f"{fault.path}: {fault.problem}")), soft_wrap=True)
        if faults:
            raise describe_faults(run, faults, len(files))
        output.console.print(f"{len(files)} files, every checksum right", highlight=False)
