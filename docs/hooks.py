"""Pages that MkDocs makes when it builds the manual: from the commands, the tables and the code.

None of them is kept in the repository, so none can fall behind what it describes.
"""

import ast
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("weighting", "pipelines", "trainer", "flows")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the API pages to the navigation, one group for each package."""
    groups = [
        {name: [{_name_folder(folder): _name_page(folder)} for folder in _list_folders(name)]}
        for name in PACKAGES
    ]
    assert config.nav is not None
    config.nav.append({"API": ["reference/api.md", *groups]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add every generated page."""
    pages: dict[str, Callable[[], str]] = {
        "reference/assay.md": render_assay,
        "reference/trainer.md": render_trainer,
        "reference/recipe-keys.md": render_recipe_keys,
        "reference/code-map.md": render_code_map,
        "reference/api.md": render_api_index,
    }
    for path, render in pages.items():
        files.append(File.generated(config, path, content=render()))
    for package in PACKAGES:
        for folder in _list_folders(package):
            files.append(File.generated(config, _name_page(folder), content=render_api(folder)))
    return files


# Commands.


def render_assay() -> str:
    """Return the page of the `assay` command, with every option as `--help` has it."""
    from flows.commands.app import app

    command: Any = typer.main.get_command(app)
    lines = ["# The assay command", "", command.help, ""]
    for words, one in _walk_click(command, ("assay",)):
        with one.make_context(" ".join(words), [], resilient_parsing=True) as context:
            usage = " ".join([*words, *one.collect_usage_pieces(context)])
            rows = [row for item in one.params if (row := item.get_help_record(context))]
        lines += [f"## {' '.join(words)}", "", one.help or "", "", "```text", usage, "```", ""]
        seen = dict.fromkeys((_code(flag), _cell(text)) for flag, text in rows)
        lines += [*_table(("argument or option", "meaning"), seen), ""]
    return "\n".join(lines)


def _walk_click(command: Any, words: Sequence[str]) -> Iterator[tuple[Sequence[str], Any]]:  # noqa: ANN401 - click's own types differ by version
    for name, one in command.commands.items():
        if hasattr(one, "commands"):
            yield from _walk_click(one, (*words, name))
        else:
            yield (*words, name), one


def render_trainer() -> str:
    """Return the page of the `trainer` command, from its parser."""
    from trainer.cli import build_parser

    parser = build_parser()
    lines = ["# The trainer command", "", parser.description or "", ""]
    for action in parser._actions:
        if not isinstance(action, _SubParsersAction):
            continue
        helps = {choice.dest: choice.help for choice in action._choices_actions}
        for name, one in action.choices.items():
            lines += [f"## trainer {name}", "", _sentence(helps.get(name)), ""]
            lines += [*_table(("argument or flag", "meaning"), _list_flags(one)), ""]
    return "\n".join(lines)


def _list_flags(parser: ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        names = action.option_strings
        if "--help" in names:
            continue
        shown = names[0] if names else str(action.metavar)
        if len(names) > 1:
            shown = shown.replace("--", "--[no-]", 1)
        value, text = str(action.metavar or action.dest.upper()), (action.help or "") % vars(action)
        if "|" in value:  # choices, too many for a narrow column
            value, text = "NAME", f"{text}; one of {value.replace('|', ', ')}"
        yield _code(f"{shown} {value}" if names and action.nargs != 0 else shown), _cell(text)


# Recipes.


def render_recipe_keys() -> str:
    """Return the page of all keys of a recipe, from the schema that reads recipes."""
    from flows.recipe.schema import Recipe

    schema = Recipe.model_json_schema()
    definitions = schema["$defs"]
    lines = [
        "# Recipe keys",
        "",
        "Every table and key of a recipe, with its default. `assay recipe show NAME` writes out a "
        "whole recipe with these comments; `assay recipe check FILE` names what is wrong with one.",
        "",
    ]
    for name, field in schema["properties"].items():
        table = definitions.get(str(field.get("$ref", "")).rpartition("/")[2])
        if table is None:
            continue
        rows = [_describe_key(key, item) for key, item in table["properties"].items()]
        lines += [f"## [{name}]", "", table.get("description", ""), ""]
        lines += [*_table(("key", "default", "valid", "meaning"), rows), ""]
        if name == "weights":
            lines += ["The knobs of each policy: [Weights](../weighting.md#policies).", ""]
    lines += [
        "## [rules]",
        "",
        "`NAME = { min = …, max = … }` for every rule that drops documents; either bound may be "
        "left out. All rules: [Rules](../rules.md).",
    ]
    return "\n".join(lines)


def _describe_key(key: str, item: Mapping[str, Any]) -> tuple[str, str, str, str]:
    default = item.get("default")
    shown = "not set" if default is None else _code(_toml(default))
    return _code(key), shown, _cell(_describe_valid(item)), _cell(item.get("description", ""))


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def _describe_valid(item: Mapping[str, Any]) -> str:
    if "anyOf" in item:
        kinds = [one for one in item["anyOf"] if one.get("type") != "null"]
        return " or ".join(_describe_valid(one) for one in kinds)
    if "enum" in item:
        return ", ".join(map(str, item["enum"]))
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {item[key]:g}" for key, sign in signs.items() if key in item]
    kind = {"object": "table", "array": "list", "boolean": "true or false"}
    return " ".join([kind.get(item.get("type", ""), item.get("type", "")), " and ".join(bounds)])


# The code.


def render_code_map() -> str:
    """Return the page that says for every module what it is for, in its own first line."""
    lines = ["# Map of the code", "", "Every module, with the first sentence of its docstring.", ""]
    for package in PACKAGES:
        for folder in _list_folders(package):
            rows = [
                (_code(path.name), _cell(_read_summary(path))) for path in _list_modules(folder)
            ]
            heading = folder.relative_to(ROOT).as_posix()
            summary = _cell(_read_summary(folder / "__init__.py"))
            lines += [f"## {heading}/", "", summary, "", *_table(("module", "what it holds"), rows)]
            lines += [""]
    return "\n".join(lines)


def render_api_index() -> str:
    """Return the page that leads to the API pages."""
    lines = [
        "# API",
        "",
        "Functions and classes without a leading underscore, from their docstrings; a page for "
        "each folder. Before 1.0 names may move from one version to the next: the changelog says "
        "where to. Array names end in their shape: `ids_N` holds N values, `logits_BxTxV` one "
        "for each of B, T and V. Start with these:",
        "",
    ]
    first = {
        "weighting/contracts": "schemas of documents, shards, sidecars, manifest",
        "weighting/policies": "from signals to weights",
        "weighting/signals": "what is known of a token",
        "pipelines/readers": "records of any format",
        "pipelines/rules": "the number that a rule gives each document",
        "trainer/objectives": "what a training run minimises",
        "trainer/data": "shards as batches",
    }
    return "\n".join(
        [
            *lines,
            *(
                f"- [`{name}`](../{_name_page(ROOT / name)}): {text}"
                for name, text in first.items()
            ),
        ]
    )


def render_api(folder: Path) -> str:
    """Return the API page of one folder: its modules, in order of name."""
    name = folder.relative_to(ROOT).as_posix().replace("/", ".")
    lines = [f"# {name}", "", _read_docstring(folder / "__init__.py"), ""]
    for path in _list_modules(folder):
        lines += [f"## {path.stem}", "", f"::: {name}.{path.stem}", ""]
    return "\n".join(lines)


def _list_folders(package: str) -> list[Path]:
    return sorted(path.parent for path in (ROOT / package).rglob("__init__.py"))


def _list_modules(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.py")) if not path.name.startswith("__")]


def _name_folder(folder: Path) -> str:
    return folder.relative_to(ROOT).as_posix().replace("/", ".")


def _name_page(folder: Path) -> str:
    return f"reference/api/{_name_folder(folder)}.md"


def _read_docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def _read_summary(path: Path) -> str:
    return _read_docstring(path).partition("\n\n")[0]


# Markdown.


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _cell(text: str | None) -> str:
    return _line(text).replace("[", "\\[")


def _code(text: str) -> str:
    if "|" in text:  # which ends a cell, even within backticks
        return f"<code>{escape(' '.join(text.split())).replace('|', '&#124;')}</code>"
    return f"`{_line(text)}`" if text else ""


def _line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _sentence(text: str | None) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
