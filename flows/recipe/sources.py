"""Where recipes come from: the presets that come with assay, and TOML files of the user."""

import re
import tomllib
import unicodedata
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from flows.recipe.presets import PRESETS, list_presets
from flows.recipe.problems import Problem, RecipeError, list_problems
from flows.recipe.schema import Recipe, parse_recipe
from pipelines.readers.registry import list_file_readers
from weighting.errors import AssayError


def load_recipe(name: str) -> Recipe:
    """Load a preset by name, or a TOML file by path.

    Raises:
        AssayError: no such recipe.
        RecipeError: not TOML, or a key or value that is not valid, or a rule without its list.
    """
    text, folder = _find(name)
    try:
        recipe = parse_recipe(tomllib.loads(text), folder)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(name, [Problem("", _describe(error, text))]) from None
    except ValidationError as error:
        raise RecipeError(name, list_problems(error, Recipe)) from None
    missing = recipe.find_missing()
    if missing:
        raise RecipeError(name, missing)
    return recipe


def read_with(recipe: Recipe, reader: str | None) -> Recipe:
    """Return a recipe with its read.format replaced, where a reader is named.

    Raises:
        AssayError: no reader of files has this name.
    """
    if reader is None:
        return recipe
    if reader not in (valid := list_file_readers()):
        raise AssayError(f"{reader}: no reader of files has this name; valid: {', '.join(valid)}")
    return recipe.model_copy(update={"read": replace(recipe.read, format=reader)})


def _find(name: str) -> tuple[str, Path]:
    """Return a recipe's text and the folder in which its relative paths start."""
    if name in list_presets():
        return (PRESETS / f"{name}.toml").read_text(encoding="utf-8"), Path()
    path = Path(name)
    if not path.is_file():
        presets = ", ".join(list_presets())
        raise AssayError(f"no recipe {name!r}: neither a file nor one of {presets}")
    try:
        return path.read_text(encoding="utf-8-sig"), path.parent
    except UnicodeDecodeError as error:
        raise RecipeError(name, [Problem("", f"not UTF-8 ({error})")]) from None


def _describe(error: tomllib.TOMLDecodeError, text: str) -> str:
    """Return what is wrong with TOML; a character that looks like one of TOML's is named."""
    problem = f"not TOML ({error})"
    place = re.search(r"line (\d+), column (\d+)", str(error))
    line = text.split("\n")[int(place[1]) - 1] if place else ""
    found = line[int(place[2]) - 1 :][:1] if place else ""
    if not found or found.isascii():
        return problem
    return f"{problem}; what stands there is U+{ord(found):04X} {unicodedata.name(found, '')}"
