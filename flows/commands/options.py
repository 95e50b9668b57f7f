"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from weighting.storage.local_folder import read_folder

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
Beam = Annotated[
    list[str] | None,
    typer.Option(
        "--beam", help="option for Beam, as --beam=--runner=PortableRunner", metavar="OPTION"
    ),
]
