"""`assay recipe`: what recipes there are, what one does in full, and what is wrong with one."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from weighting.output import open_data_output

recipes = typer.Typer(no_args_is_help=True, help="Show and check recipes.")


@recipes.command()
def show(
    name: Annotated[
        str | None, typer.Argument(help="a preset or a TOML file; without one, all presets")
    ] = None,
) -> None:
    """Print a recipe as TOML, every default written out."""
    from flows.recipe.sources import load_recipe
    from flows.recipe.toml import write_toml

    if name is None:
        Console().print(_tabulate_presets())
    else:
        open_data_output().write(write_toml(load_recipe(name)))


@recipes.command()
def check(name: Annotated[str, typer.Argument(help="a TOML file or a preset")]) -> None:
    """Say everything that is wrong with a recipe; exit with 2 if something is."""
    from flows.recipe.problems import RecipeError
    from flows.recipe.sources import load_recipe
    from flows.visible import show as make_visible
    from pipelines.rules.registry import RULES

    try:
        recipe = load_recipe(name)
    except RecipeError as error:
        lines = (make_visible(str(problem)) for problem in error.problems)
        sys.stderr.writelines(f"{line}\n" for line in lines)
        raise typer.Exit(error.exit_code) from None
    enforced = len(recipe.rules)
    idle = len(RULES) - enforced
    Console().print(
        f"recipe {recipe.name} is valid: {enforced} rules drop, {idle} are only computed",
        highlight=False,
        markup=False,
    )


def _tabulate_presets() -> Table:
    from flows.recipe.presets import list_presets
    from flows.recipe.sources import load_recipe

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for name in list_presets():
        summary = load_recipe(name).description.strip().partition("\n")[0]
        table.add_row(name, Text(summary))
    return table
