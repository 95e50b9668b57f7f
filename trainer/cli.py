"""The `trainer` command: train, ablate, eval, export, characters; every field is a flag."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from trainer.characters import write_characters
from trainer.compare.ablate import DEFAULT_ARMS, AblationConfig, ablate
from trainer.config.flat import (
    DEPTH,
    WIDTH_PER_LAYER,
    describe_fields,
    flat_fields,
    override,
    parse_value,
    read_config,
)
from trainer.config.schema import TrainConfig
from trainer.display.progress import counting_steps, reporting
from trainer.display.tables import print_evaluation, print_results
from trainer.export import export
from trainer.run.metrics import read_rows
from trainer.run.train import evaluate_run, train
from weighting.errors import AssayError
from weighting.storage.failures import OutOfMemory

NOT_A_TERMINAL_COLUMNS = 120


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise AssayError instead of printing the usage."""
        raise AssayError(f"{message} (see {self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    try:
        arguments = build_parser().parse_args(argv)
        arguments.run(arguments)
    except AssayError as error:
        # What stops all processes of torchrun is said once.
        if _leads() or isinstance(error, OutOfMemory):
            sys.stderr.write(f"trainer: {' '.join(str(error).split())}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("trainer: stopped (SIGINT)\n")
        return 128 + signal.SIGINT
    return 0


def build_parser() -> Parser:
    """Return the parser of all commands."""
    parser = Parser(prog="trainer", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="train one model, or resume it"))
    _add_ablate(commands.add_parser("ablate", help="compare arms over seeds"))
    _add_eval(commands.add_parser("eval", help="evaluate the newest checkpoint of a run"))
    _add_export(commands.add_parser("export", help="write a run's model for transformers"))
    _add_characters(commands.add_parser("characters", help="make shards of a text's characters"))
    return parser


def parse_arm(text: str) -> tuple[str, dict[str, Any]]:
    """Read `NAME:field=value,field=value`.

    Raises:
        AssayError: it is not of that form, or a field or value is not valid.
    """
    name, _, rest = text.partition(":")
    overrides = {}
    for part in filter(None, rest.split(",")):
        field_name, equals, value = part.partition("=")
        if not equals:
            raise AssayError(f"arm {text!r}: {part!r} is not of the form field=value")
        overrides[field_name] = parse_value(field_name, value)
    return name, overrides


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_train)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    _add_config(parser)


def _add_ablate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_ablate)
    parser.add_argument("--out", type=Path, required=True, help="folder of the ablation")
    parser.add_argument("--arms", default="", help="ready-made arms: " + ",".join(DEFAULT_ARMS))
    parser.add_argument(
        "--arm",
        action="append",
        default=[],
        metavar="NAME:FIELD=VALUE,...",
        help="another arm; the first arm of all is the baseline",
    )
    parser.add_argument(
        "--other-documents",
        action="store_true",
        help="arms may train on different documents (shards of assay weigh --select)",
    )
    parser.add_argument("--seeds", default="0,1,2", help="seeds, each run in every arm")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once, at most one a core")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    _add_config(parser, without=("seed",))


def _add_eval(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_eval)
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of a run")
    parser.add_argument("--json", action="store_true", help="print JSON")
    _add_config(parser, only=("shards", "tokenizer", "eval_tokens", "threads", "device"))


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_export)
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of a run")
    parser.add_argument("--out", type=Path, required=True, help="folder for transformers to load")


def _add_characters(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_characters)
    parser.add_argument("text", type=Path, metavar="TEXT", help="a UTF-8 text file")
    parser.add_argument("--out", type=Path, required=True, help="folder; shards go to OUT/shards")


def _add_config(
    parser: argparse.ArgumentParser, only: Sequence[str] = (), without: Sequence[str] = ()
) -> None:
    if not only:
        parser.add_argument("--config", type=Path, help="JSON file of fields; flags go before it")
        text = f"layers D, width {WIDTH_PER_LAYER} D and D heads at once; 12 is GPT-2 124M"
        parser.add_argument(f"--{DEPTH}", metavar="D", help=text)
    described = describe_fields()
    for name, kind in flat_fields().items():
        if (only and name not in only) or name in without:
            continue
        _add_flag(parser, name, kind, described[name].default, described[name].metadata)


def _add_flag(
    parser: argparse.ArgumentParser,
    name: str,
    kind: type,
    default: object,
    metadata: Mapping[str, Any],
) -> None:
    """Add one field. A flag that is not given is None, so that --config can speak."""
    flag = "--" + name.replace("_", "-")
    if kind is bool:
        action = argparse.BooleanOptionalAction
        parser.add_argument(flag, action=action, help=metadata["help"])
        return
    text = metadata["help"] + (f" (default {default})" if default != "" else "")
    metavar = "|".join(metadata["choices"]) or kind.__name__.upper()
    parser.add_argument(flag, help=text, metavar=metavar)


def _read_config(arguments: argparse.Namespace) -> TrainConfig:
    base = read_config(arguments.config) if arguments.config else TrainConfig()
    return override(base, _given(arguments))


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(arguments, name, None) for name in (*flat_fields(), DEPTH)}
    return {
        name: parse_value(name, value) if isinstance(value, str) else value
        for name, value in given.items()
        if value is not None
    }


def _train(arguments: argparse.Namespace) -> None:
    config = _read_config(arguments)
    if not _leads():
        train(config, arguments.out)
        return
    names = ("metrics.jsonl", "evaluations.jsonl")
    earlier = [row for name in names for row in read_rows(arguments.out / name)]
    with reporting(config.steps, as_json=arguments.json, earlier=earlier) as report:
        result = train(config, arguments.out, report)
    if not arguments.json:
        print_evaluation(result["final"], _console())


def _ablate(arguments: argparse.Namespace) -> None:
    config = AblationConfig(
        out=arguments.out,
        base=_read_config(arguments),
        arms=_read_arms(arguments),
        seeds=tuple(int(parse_value("seed", text)) for text in arguments.seeds.split(",")),
        jobs=arguments.jobs,
        other_documents=arguments.other_documents,
    )
    with counting_steps() as progress:
        results = ablate(config, progress)
    if arguments.json:
        sys.stdout.write(json.dumps(results) + "\n")
        return
    print_results(results, _console())
    sys.stdout.write(f"{arguments.out / 'results.json'}\n{arguments.out / 'curves.png'}\n")


def _eval(arguments: argparse.Namespace) -> None:
    result = evaluate_run(arguments.run_folder, _given(arguments))
    if arguments.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        print_evaluation(result, _console())


def _export(arguments: argparse.Namespace) -> None:
    sys.stdout.write(f"{export(arguments.run_folder, arguments.out)}\n")


def _characters(arguments: argparse.Namespace) -> None:
    write_characters(arguments.text, arguments.out)
    sys.stdout.write(f"{arguments.out / 'shards'}\n")


def _read_arms(arguments: argparse.Namespace) -> Mapping[str, Mapping[str, Any]]:
    names = [name for name in arguments.arms.split(",") if name]
    unknown = [name for name in names if name not in DEFAULT_ARMS]
    if unknown:
        raise AssayError(f"no arm {unknown[0]!r}; ready-made arms are {', '.join(DEFAULT_ARMS)}")
    arms = {name: DEFAULT_ARMS[name] for name in names}
    for name, overrides in map(parse_arm, arguments.arm):
        if name in arms:
            raise AssayError(f"arm {name!r} is given twice")
        arms[name] = overrides
    return arms or DEFAULT_ARMS


def _leads() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _console() -> Console:
    console = Console()
    # Rich assumes 80 columns for a file or a pipe, where nothing need be cut off.
    return console if console.is_terminal else Console(width=NOT_A_TERMINAL_COLUMNS)
