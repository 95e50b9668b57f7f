"""`assay recipe`: what recipes there are, what one does in full, and what is wrong with one."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import Json
from weighting.output import open_data_output

if TYPE_CHECKING:
    from rich.table import Table

recipes = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Show and check recipes.")


@recipes.command()
def show(
    name: Annotated[
        str | None, typer.Argument(help="a preset or a TOML file; without one, all presets")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a recipe as TOML, every default written out."""
    from flows.operations.output import telling
    from flows.recipe.sources import load_recipe
    from flows.recipe.toml import write_toml

    with telling(as_json) as output:
        if name is None:
            presets = list_summaries()
            output.facts["presets"] = presets
            output.console.print(_tabulate(presets))
        else:
            recipe = load_recipe(name)
            output.facts["recipe"] = recipe.model_dump(mode="json")
            if not as_json:
                open_data_output().write(write_toml(recipe))


@recipes.command()
def check(
    name: Annotated[str, typer.Argument(help="a TOML file or a preset")], as_json: Json = False
) -> None:
    """Say everything that is wrong with a recipe; exit with 2 if something is."""
    from flows.operations.output import telling
    from flows.recipe.problems import RecipeError
    from flows.recipe.sources import load_recipe
    from flows.visible import show as make_visible
    from pipelines.rules.registry import RULES

    with telling(as_json) as output:
        try:
            recipe = load_recipe(name)
        except RecipeError as error:
            lines = [make_visible(str(problem)) for problem in error.problems]
            sys.stderr.writelines(f"{line}\n" for line in lines)
            output.facts |= {"valid": False, "problems": lines}
            output.fail(error)
            raise typer.Exit(error.exit_code) from None
        enforced = len(recipe.rules)
        idle = len(RULES) - enforced
        languages = len(recipe.curate_settings().language_bounds)
        output.facts |= {"valid": True, "recipe": recipe.name, "enforced": enforced, "idle": idle}
        output.facts["languages"] = languages  # with bounds of their own
        output.console.print(
            f"recipe {recipe.name} is valid: {enforced} rules drop, {idle} are only computed"
            + (f"; {languages} languages have bounds of their own" if languages else ""),
            highlight=False,
            markup=False,
        )


def list_summaries() -> dict[str, str]:
    """Return the presets, each with the first line of what it says of itself."""
    from flows.recipe.presets import list_presets
    from flows.recipe.sources import load_recipe

    described = {name: load_recipe(name).description for name in list_presets()}
    return {name: text.strip().partition("\n")[0] for name, text in described.items()}


def _tabulate(presets: dict[str, str]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for name, summary in presets.items():
        table.add_row(name, Text(summary))
    return table
