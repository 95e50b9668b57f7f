"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option("--out", help="run folder to write")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="replace a run of other inputs, recipe or code")
]
RunFolder = Annotated[Path, typer.Argument(help="run folder", metavar="RUN")]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="processes; by default all cores if it pays"),
]
Json = Annotated[
    bool, typer.Option("--json", help="print one JSON object; what is for people goes to stderr")
]
