"""Before the first stage: what a run is to be made of, planned, hashed and claimed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from flows.operations.log import RunLog
from flows.recipe.schema import Recipe
from flows.run.folder import Claim, Run, claim_run
from flows.run.inputs import check_models, digest_files, digest_runs, locate, plan_units
from flows.visible import shorten_path, show
from pipelines import identity
from pipelines.work.units import Plan, bind, fingerprint
from weighting.errors import AssayError

if TYPE_CHECKING:
    from trainer.scoring.cost import Passes


@dataclass(frozen=True)
class CurateRequest:
    """What a run is asked to be.

    Documents that the runs `against` have, or copies of them, are not to be kept again. With
    `overwrite`, a run of other inputs, recipe or code in the folder `out` is replaced.
    """

    inputs: Sequence[str]
    out: Path
    recipe: Recipe
    against: Sequence[Path] = ()
    overwrite: bool = False


def prepare(request: CurateRequest, console: Console, log: RunLog | None = None) -> Run:
    """Plan the units, hash the inputs, and claim the run folder.

    Raises:
        AssayError: an input or model cannot be used, or the folder holds something else.
    """
    recipe = request.recipe
    tried = check_models(recipe)
    for remark in tried.remarks:
        console.print(Text(show(remark), "dim"))
    with console.status("looking at the inputs"):
        planned = plan_units(request.inputs, recipe.read.format, request.out)
        earlier = sorted({run.absolute() for run in request.against})
        entries = fingerprint(planned.units)
        claim = Claim(
            inputs=[
                *entries,
                *digest_files(recipe),
                *digest_runs(earlier, request.out, recipe),
            ],
            recipe=recipe.model_dump(mode="json"),
            code=identity.hash_code(recipe.reference.find_kinds()),
            paths=locate(request.inputs),
            units=bind(planned.units, entries),
            against=[str(run) for run in earlier],
        )
    _tell(planned, console, log)
    _tell_cost(tried.passes, planned, console)
    if not planned.units:
        raise AssayError(f"nothing to read in {', '.join(request.inputs)}")
    return claim_run(request.out, claim, request.overwrite)


def _tell(planned: Plan, console: Console, log: RunLog | None) -> None:
    """Say what of the named folders is not read."""
    for path in planned.ignored:
        line = f"ignored {show(path)}: no reader for this kind of file"
        console.print(Text(line, "yellow"))
        if log:
            log.write("ignored", path=path)
    for path, reason in planned.left_out:
        console.print(Text(f"left out {show(shorten_path(path))}: {reason}", "yellow"))
        if log:
            log.write("left out", path=path, reason=reason)


def _tell_cost(passes: "Sequence[Passes]", planned: Plan, console: Console) -> None:
    """Say what scoring by the models that the recipe names will cost."""
    if passes:
        from flows.operations.scoring_cost import describe_estimate  # with torch

        text_bytes = sum(piece.size for unit in planned.units for piece in unit.slices)
        for line in describe_estimate(passes, text_bytes):
            console.print(Text(line, "dim"))
