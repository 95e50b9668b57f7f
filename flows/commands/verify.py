"""`assay verify`: are the outputs still those that the run wrote?"""

from rich.console import Console

from flows.commands.options import RunFolder


def verify(run: RunFolder) -> None:
    """Compare every output of a run with the checksums of its manifest."""
    from weighting.contracts.manifest import check_files, read_manifest

    manifest = read_manifest(run)
    check_files(run, manifest.files)
    Console().print(f"{len(manifest.files)} files, every checksum right", highlight=False)
