"""Flags of a config: every field is one, and what is given wins over a file of fields."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from trainer.config.flat import (
    DEPTH,
    WIDTH_PER_LAYER,
    FlatField,
    Value,
    list_fields,
    override,
    parse_value,
    read_config,
)
from trainer.config.schema import TrainConfig
from trainer.objectives.registry import find_extensions, load_objectives


def add_config(parser: argparse.ArgumentParser, without: Sequence[str] = ()) -> None:
    """Add a file of fields, every field but some, and what the objectives are."""
    parser.add_argument("--config", type=Path, help="JSON file of fields; flags go before it")
    text = f"layers D, width {WIDTH_PER_LAYER} D and D heads at once; 12 is GPT-2 124M"
    parser.add_argument(f"--{DEPTH}", metavar="D", help=text)
    add_fields(parser, [name for name in list_fields() if name not in without])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = describe_objectives()


def add_fields(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    """Add some fields. A flag that is not given is None, so that a file of fields can speak."""
    known = list_fields()
    for name in names:
        _add_flag(parser, "--" + name.replace("_", "-"), known[name])


def describe_objectives() -> str:
    """Return one line an objective: its name, what it does, and the package that it is from."""
    objectives = load_objectives()
    width = max(map(len, objectives))
    lines = ["objectives:"]
    for name, one in objectives.items():
        packages = "".join(f" ({each.package} {each.version})" for each in find_extensions(name))
        lines.append(f"  {name:{width}}  {one.summary}{packages}")
    return "\n".join(lines).replace("%", "%%")


def read_given(arguments: argparse.Namespace) -> dict[str, Value]:
    """Return the fields that flags give, in the flat form.

    Raises:
        AssayError: text that is not a value of its field's type.
    """
    given = {name: getattr(arguments, name, None) for name in (*list_fields(), DEPTH)}
    return {
        name: parse_value(name, value) if isinstance(value, str) else value
        for name, value in given.items()
        if value is not None
    }


def read_flags(arguments: argparse.Namespace) -> TrainConfig:
    """Return the config that flags and a file of fields give.

    Raises:
        AssayError: they make no config.
    """
    base = read_config(arguments.config) if arguments.config else TrainConfig()
    return override(base, read_given(arguments))


def _add_flag(parser: argparse.ArgumentParser, flag: str, one: FlatField) -> None:
    if one.kind is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=one.knob.help)
        return
    text = one.knob.help + (f" (default {one.default})" if one.default != "" else "")
    metavar = "|".join(one.knob.choices) or one.kind.__name__.upper()
    parser.add_argument(flag, help=text, metavar=metavar)
