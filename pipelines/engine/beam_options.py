"""Options for Beam, looked at before anything is read.

Beam itself drops options that it does not know, downloads job servers where none is named, and
starts containers that hold no assay; most of that it finds out when the graph is submitted.
"""

import argparse
import difflib
from collections.abc import Collection, Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import (
    PipelineOptions,
    StandardOptions,
    _BeamArgumentParser,
)
from apache_beam.runners.portability.portable_runner import PortableRunner
from apache_beam.runners.runner import create_runner

from weighting.errors import AssayError

LOCAL = "FnApiRunner"  # where no other is named
ENGINE_VARIES = "its engine depends on whether the network answers"
REFUSED = {
    "DaskRunner": "it loses data and reports success",
    "DirectRunner": ENGINE_VARIES,
    "SwitchingDirectRunner": ENGINE_VARIES,
    "BundleBasedDirectRunner": "it is meant for tests of Beam",
    "TestDirectRunner": "it is meant for tests of Beam",
    "TestDataflowRunner": "it is meant for tests of Beam",
    "DataflowRunner": "its workers cannot mount the run folder",
    "InteractiveRunner": "it is meant for notebooks",
}
OF_JOB_SERVICES = (
    *("--job_endpoint", "--artifact_endpoint", "--environment_type", "--environment_config"),
    *("--environment_option", "--environment_options"),
)
ENVIRONMENTS = {
    "LOOPBACK": "",
    "EXTERNAL": "--environment_config=HOST:PORT, the address of a worker pool",
    "PROCESS": '--environment_config={"command": …}, which starts a worker',
    "DOCKER": "--environment_config=IMAGE, an image that holds assay",
}
DETAILS = {
    "EXTERNAL": "external_service_address",
    "PROCESS": "process_command",
    "DOCKER": "docker_container_image",
}  # what may stand in --environment_option in place of --environment_config


class _Parser(_BeamArgumentParser):
    """All options of Beam; what is wrong with one is a line, not the usage of all."""

    def error(self, message: str) -> NoReturn:
        raise AssayError(f"--beam: {message}")


def name_runner(given: Sequence[str]) -> str:
    """Return the runner that options name, as Beam spells it; LOCAL where they name none.

    Raises:
        AssayError: there is no such runner, or it cannot be trusted with data.
    """
    return _spell_runner(_parse(given).runner)


def _spell_runner(name: str | None) -> str:
    if name is None:
        return LOCAL
    known = {one.lower(): one for one in (*StandardOptions.KNOWN_RUNNER_NAMES, *REFUSED)}
    short = name.rpartition(".")[2].lower()
    spelled = known.get(short) or known.get(f"{short}runner")
    if spelled in REFUSED:
        raise AssayError(f"runner {spelled} is refused: {REFUSED[spelled]}; use {LOCAL}")
    if spelled is None and "." not in name:
        valid = sorted(set(StandardOptions.KNOWN_RUNNER_NAMES) - REFUSED.keys())
        raise AssayError(f"--beam: no runner {name}; valid: {', '.join(valid)}")
    return name if spelled is None else spelled


def list_unknown(given: Sequence[str], also: Collection[str] = ()) -> list[str]:
    """Return a line for each option that neither Beam knows nor `also` names."""
    parser = _make_parser()
    _, unknown = parser.parse_known_args(list(given))
    known = {*parser._option_string_actions, *(f"--{name}" for name in also)}
    return [_describe_unknown(one, known) for one in unknown if one.partition("=")[0] not in known]


def check_options(given: Sequence[str], workers: int | None = None) -> None:
    """Refuse options that would be dropped, or end in a failure after the inputs have been read.

    `workers` is what the user asked for. Options that Beam does not know are refused unless they
    go to a job service, which may know them: see `pipelines.engine.job_service`.

    Raises:
        AssayError: the first thing that is wrong with them.
    """
    options, unknown = _parse(given), list_unknown(given)
    try:
        _check_known(options, {one.partition("=")[0] for one in given}, workers)
    except AssayError:
        if unknown:  # a mistyped option is why another one is missing
            raise AssayError(unknown[0]) from None
        raise
    if unknown and not options.job_endpoint:
        raise AssayError(unknown[0])


def _check_known(options: argparse.Namespace, names: Collection[str], workers: int | None) -> None:
    name = _spell_runner(options.runner)
    if name == LOCAL:
        _check_local(names)
        return
    if workers is not None:
        raise AssayError(
            f"--workers is for {LOCAL}; with {name}, its job service decides how many work"
        )
    _check_class(name)
    _check_endpoint(name, options.job_endpoint)
    _check_environment(options)


def _check_local(names: Collection[str]) -> None:
    if "--direct_num_workers" in names:
        raise AssayError("--beam=--direct_num_workers: give --workers instead")
    for name in OF_JOB_SERVICES:
        if name in names:
            raise AssayError(f"--beam={name} needs a runner: add --beam=--runner=PortableRunner")


def _check_class(name: str) -> None:
    try:
        runner = create_runner(name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise AssayError(f"--beam: runner {name} cannot be used ({reason})") from None
    if not isinstance(runner, PortableRunner):
        raise AssayError(f"--beam: runner {name} hands its graphs to no job service; use {LOCAL}")


def _check_endpoint(name: str, endpoint: str | None) -> None:
    if not endpoint:
        raise AssayError(
            f"--beam: {name} needs --job_endpoint=HOST:PORT, the address of a running job service"
        )
    host, _, port = endpoint.rpartition(":")
    if not host or not port.isdecimal():
        raise AssayError(f"--beam: --job_endpoint={endpoint} is not of the form HOST:PORT")


def _check_environment(options: argparse.Namespace) -> None:
    kind = options.environment_type
    if kind is None:
        raise AssayError(
            "--beam: without --environment_type Beam starts containers that hold no assay; give "
            "--environment_type=LOOPBACK (workers in this process) or EXTERNAL (a worker pool)"
        )
    if kind not in ENVIRONMENTS:
        close = difflib.get_close_matches(kind.upper(), ENVIRONMENTS, 1)
        hint = f"; did you mean {close[0]}?" if close else f"; valid: {', '.join(ENVIRONMENTS)}"
        raise AssayError(f"--beam: no --environment_type={kind}{hint}")
    wanted, given = ENVIRONMENTS[kind], options.environment_options or ()
    told = options.environment_config or any(
        one.startswith(f"{DETAILS[kind]}=") for one in given if wanted
    )
    if wanted and not told:
        raise AssayError(f"--beam: --environment_type={kind} needs {wanted}")


def _describe_unknown(argument: str, known: Collection[str]) -> str:
    name = argument.partition("=")[0]
    if not name.startswith("--"):
        return f"--beam={argument}: no option; write --beam=--{name.lstrip('-')}=…"
    close = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"--beam={name}: Beam has no such option{hint}"


def _make_parser() -> _Parser:
    parser = _Parser(allow_abbrev=False, add_help=False)
    for options in {str(each): each for each in PipelineOptions.__subclasses__()}.values():
        options._add_argparse_args(parser)
    return parser


def _parse(given: Sequence[str]) -> argparse.Namespace:
    known, _ = _make_parser().parse_known_args(list(given))
    return known
