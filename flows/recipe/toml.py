"""A recipe as TOML: every key with its value, defaults included, and what it means.

TOML has no null: a key without a value, and a rule that drops nothing, are written as comments.
"""

import json
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from flows.recipe.schema import Recipe, RuleTable
from pipelines.rules.registry import RULES
from weighting.knobs import list_knobs

IDLE = "# Without bounds a rule drops nothing; its values are in the ledger. Published bounds:"


def write_toml(recipe: Recipe) -> str:
    """Return TOML that reads back as the same recipe."""
    lines = [f"name = {_write(recipe.name)}", f"description = {_write_text(recipe.description)}"]
    for name in Recipe.model_fields:
        table = getattr(recipe, name)
        if name == "rules":
            lines += ["", "# A document outside these bounds is dropped.", "[rules]"]
            lines += [*_list_enforced(recipe.rules), *_list_idle(recipe)]
        elif name == "languages":
            for language, rules in recipe.languages.items():
                lines += ["", f"[languages.{language}]", *_list_enforced(rules)]
        elif not isinstance(table, str):
            lines += ["", f"# {_first_line(table)}", f"[{name}]", *_list_keys(table)]
    return "\n".join(lines) + "\n"


def _first_line(table: object) -> str:
    return str(type(table).__doc__).partition("\n")[0]


def _list_keys(table: object) -> Iterator[str]:
    for key, meaning in _list_meanings(type(table)).items():
        if meaning:
            yield f"# {meaning}"
        value = getattr(table, key)
        yield f"# {key} is not set" if value is None else f"{key} = {_write(value)}"


def _list_meanings(kind: type) -> dict[str, str | None]:
    """Return the keys of a table, and what they mean."""
    if issubclass(kind, BaseModel):
        return {key: field.description for key, field in kind.model_fields.items()}
    return {key: one.help for key, (_, one) in list_knobs(kind).items()}


def _list_enforced(rules: RuleTable) -> Iterator[str]:
    for name, bounds in rules.items():
        yield f"{name} = {_write(bounds.model_dump())}  # {RULES[name].meaning}"


def _list_idle(recipe: Recipe) -> list[str]:
    """Return the rules without bounds in the recipe, with the published ones, as comments."""
    idle = [
        f"# {name} = {_write({'min': rule.bounds.low, 'max': rule.bounds.high})}  # {rule.meaning}"
        if any(bound is not None for bound in rule.bounds)
        else f"# {name}: no published bounds  # {rule.meaning}"
        for name, rule in RULES.items()
        if name not in recipe.rules
    ]
    return [IDLE, *idle] if idle else []


def _write(value: object) -> str:
    """Return a value on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case int() | float():
            return repr(value)
        case str():
            return _quote(value)
        case Mapping():
            pairs = [
                f"{_name(key)} = {_write(item)}" for key, item in value.items() if item is not None
            ]
            return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
        case list() | tuple():
            return "[" + ", ".join(map(_write, value)) + "]"
        case _:
            return _write({key: getattr(value, key) for key in list_knobs(value)})


def _write_text(text: str) -> str:
    """Return a string that may have lines."""
    if "\n" not in text:
        return _quote(text)
    body = "\n".join(_quote(line)[1:-1] for line in text.split("\n"))
    return f'"""\n{body}"""'


def _quote(text: str) -> str:
    """Return a basic string: JSON's escapes are TOML's, which wants one character more escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _name(key: str) -> str:
    plain = key.replace("-", "").replace("_", "")
    return key if plain.isascii() and plain.isalnum() else _quote(key)
