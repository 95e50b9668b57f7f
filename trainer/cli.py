"""The `trainer` command: train and compare models; every field of a config is a flag."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from trainer.config.arms import DEFAULT_ARMS, read_arms, read_seeds
from trainer.flags import add_config, add_fields, read_flags, read_given
from weighting.command_line import check_text
from weighting.errors import AssayError, Interrupted
from weighting.output import OutputClosed, guard_streams
from weighting.storage.failures import OutOfMemory
from weighting.storage.local_folder import read_folder
from weighting.versions import describe_versions
from weighting.visible import show_line

# What computes, with torch, is imported by the command that runs: nobody waits for it to read
# --help, or to be told of a mistyped flag.


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise AssayError instead of printing the usage."""
        raise AssayError(f"{message} (see {self.prog} --help)")


class Version(argparse.Action):
    """Prints versions; looks them up only when it is asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print and leave."""
        sys.stdout.write(describe_versions())
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    guard_streams()
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        check_text(words)
        arguments = build_parser().parse_args(words)
        arguments.run(arguments)
        sys.stdout.flush()
    except OutputClosed as closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # to where Python writes what it still holds
        return closed.exit_code
    except (AssayError, Interrupted) as error:
        if not _follows(words) or isinstance(error, OutOfMemory):
            sys.stderr.write(f"trainer: {show_line(str(error))}\n")
        return error.exit_code
    return 0


def _follows(words: Sequence[str]) -> bool:
    """Say whether another process of torchrun says what stops them all."""
    among = words[:1] == ["train"] and {"MASTER_ADDR", "WORLD_SIZE"} <= os.environ.keys()
    return among and os.environ.get("RANK", "0") != "0"


def build_parser() -> Parser:
    """Return the parser of all commands.

    Raises:
        AssayError: an installed package's objective cannot be used.
    """
    parser = Parser(prog="trainer", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action=Version, nargs=0, help="print versions and leave")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="train one model, or resume it"))
    _add_ablate(commands.add_parser("ablate", help="compare arms over seeds"))
    _add_results(commands.add_parser("results", help="print an ablation or a run"))
    _add_eval(commands.add_parser("eval", help="evaluate the newest checkpoint of a run"))
    _add_export(commands.add_parser("export", help="write a run's model for transformers"))
    _add_characters(commands.add_parser("characters", help="make shards of a text's characters"))
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_train)
    parser.add_argument("--out", type=read_folder, required=True, help="folder of the run")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    add_config(parser)


def _add_ablate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_ablate)
    parser.add_argument("--out", type=read_folder, required=True, help="folder of the ablation")
    parser.add_argument("--arms", default="", help="ready-made arms: " + ",".join(DEFAULT_ARMS))
    parser.add_argument(
        "--arm",
        action="append",
        default=[],
        metavar="NAME:FIELD=VALUE,...",
        help="another arm; tables keep the order of arms",
    )
    parser.add_argument(
        "--baseline", default="", metavar="ARM", help="held against the others (default: the first)"
    )
    parser.add_argument(
        "--other-documents",
        action="store_true",
        help="arms may train on different documents (shards of assay weigh --select)",
    )
    parser.add_argument("--seeds", default="0,1,2", help="seeds, each run in every arm")
    parser.add_argument(
        "--jobs", type=int, default=0, help="runs at once; 0 is one a core, on CUDA one"
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    add_config(parser, without=("seed",))


def _add_results(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_results)
    text = "folder of an ablation, finished or not, or of a run"
    parser.add_argument("folder", type=read_folder, metavar="OUT", help=text)
    parser.add_argument(
        "--format",
        default="table",
        choices=("table", "csv", "markdown", "latex", "json"),
        help="csv and json have every digit, the others those that the intervals bear",
    )


def _add_eval(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_eval)
    parser.add_argument("run_folder", type=read_folder, metavar="RUN", help="folder of a run")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_fields(parser, ("shards", "tokenizer", "eval_tokens", "threads", "device"))


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_export)
    parser.add_argument("run_folder", type=read_folder, metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--out", type=read_folder, required=True, help="folder for transformers to load"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--tokenizer", type=Path, help="tokenizer.json (default: beside the shards)")
    group.add_argument("--model-only", action="store_true", help="write no tokenizer")


def _add_characters(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_characters)
    parser.add_argument("text", type=Path, metavar="TEXT", help="a UTF-8 text file")
    parser.add_argument(
        "--out", type=read_folder, required=True, help="folder; shards go to OUT/shards"
    )


def _train(arguments: argparse.Namespace) -> None:
    config = read_flags(arguments)
    from trainer.commands import train

    train.run(config, arguments.out, as_json=arguments.json)


def _ablate(arguments: argparse.Namespace) -> None:
    base, arms = read_flags(arguments), read_arms(arguments.arms, arguments.arm)
    seeds = read_seeds(arguments.seeds)
    from trainer.commands import ablate

    ablate.run(arguments, base, arms, seeds)


def _results(arguments: argparse.Namespace) -> None:
    from trainer.commands import results

    results.run(arguments.folder, arguments.format)


def _eval(arguments: argparse.Namespace) -> None:
    values = read_given(arguments)
    from trainer.commands import evaluate

    evaluate.run(arguments.run_folder, values, as_json=arguments.json)


def _export(arguments: argparse.Namespace) -> None:
    from trainer.export import export

    folder = export(
        arguments.run_folder,
        arguments.out,
        arguments.tokenizer,
        model_only=arguments.model_only,
    )
    sys.stdout.write(f"{folder}\n")


def _characters(arguments: argparse.Namespace) -> None:
    from trainer.characters import write_characters

    write_characters(arguments.text, arguments.out)
    sys.stdout.write(f"{arguments.out / 'shards'}\n")
