"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from weighting.storage.local_folder import read_folder


def repair_text(given: str) -> str:
    """Return an argument as UTF-8, which Python takes apart where the terminal knows no UTF-8."""
    return given.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


Out = Annotated[
    Path, typer.Option("--out", help="run folder to write", metavar="FOLDER", parser=read_folder)
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="replace a run of other inputs, recipe or code")
]
RunFolder = Annotated[Path, typer.Argument(help="run folder", metavar="RUN", parser=read_folder)]
Against = Annotated[
    list[Path] | None,
    typer.Option(
        "--against",
        help="an earlier run whose documents are not kept again",
        metavar="RUN",
        parser=read_folder,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="processes; by default all cores if it pays"),
]
Json = Annotated[
    bool, typer.Option("--json", help="print one JSON object; what is for people goes to stderr")
]
Beam = Annotated[
    list[str] | None,
    typer.Option(
        "--beam", help="option for Beam, as --beam=--runner=PortableRunner", metavar="OPTION"
    ),
]
