"""`assay weigh`: another policy for a run that is done."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from flows.commands.options import Json, Out, Overwrite, RunFolder, Workers
from weighting.errors import AssayError
from weighting.storage.lock import locking


class Weigh(TyperCommand):
    """The command, whose help names the policies: their records are slow to load."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's own
        """Write the help."""
        from weighting.policies.registry import POLICIES

        for option in self.params:
            if isinstance(option, TyperOption) and option.name == "policy":
                option.help = f"one of {', '.join(POLICIES)}"
        super().format_help(ctx, formatter)


def weigh(
    run: RunFolder,
    out: Out,
    policy: Annotated[str, typer.Option(help="what turns signals into weights")] = "soft",
    dials: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="a key of the recipe's table weights"),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(help="keep the documents richest in: golden, a signal; or random ones"),
    ] = None,
    tokens: Annotated[int | None, typer.Option(min=1, help="budget of --select")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of --select, for documents that tie")] = 0,
    workers: Workers = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Weigh the tokens of a run by another policy, into a run folder of its own."""
    from flows.operations.log import keeping_log
    from flows.operations.output import describe_run, telling
    from flows.recipe.key_values import read_key_values
    from flows.run import presentation
    from flows.run.reweigh import reweigh
    from flows.run.session import open_session

    selection = {"by": select, "tokens": tokens, "seed": seed}
    with telling(as_json) as output:
        weights = read_key_values(dials or [])
        if "policy" in weights:
            raise AssayError("give the policy as --policy, not with --set")
        with locking(out), keeping_log(out) as log:
            session = open_session(run, workers, output.console, log=log)
            reweigh(run, out, {**weights, "policy": policy}, selection, overwrite, session)
            presentation.present(out, output.console)
        output.facts |= describe_run(out)
