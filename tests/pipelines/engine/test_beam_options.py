"""What is wrong with options for Beam is said before anything is read."""

import pytest

from pipelines.engine.beam_options import LOCAL, check_options, list_unknown, name_runner
from weighting.errors import AssayError

RUNNER = "--runner=PortableRunner"
ENDPOINT = "--job_endpoint=127.0.0.1:8099"
LOOPBACK = "--environment_type=LOOPBACK"

WRONG = [
    (["--runer=PortableRunner"], r"--runer: Beam has no such option; did you mean --runner\?"),
    ([RUNNER, "--job_endpoit=h:1", LOOPBACK], r"--job_endpoit: .*did you mean --job_endpoint\?"),
    ([RUNNER, ENDPOINT, "--environment_tipe=LOOPBACK"], r"did you mean --environment_type\?"),
    ([RUNNER, ENDPOINT, "--environment_type=LOOPBAK"], r"LOOPBAK; did you mean LOOPBACK\?"),
    ([RUNNER, ENDPOINT, "--environment_type=X"], "valid: LOOPBACK, EXTERNAL, PROCESS, DOCKER"),
    (["runner=PortableRunner"], r"no option; write --beam=--runner=…"),
    (["--temp_location"], "argument --temp_location: expected one argument"),
    (["--direct_num_workers=2"], "give --workers instead"),
    ([ENDPOINT], "needs a runner: add --beam=--runner=PortableRunner"),
    (["--runner=NoSuchRunner"], "no runner NoSuchRunner; valid: FlinkRunner, FnApiRunner"),
    (["--runner=nowhere.Runner"], r"nowhere\.Runner cannot be used \(No module named 'nowhere'\)"),
    (["--runner=os.path"], r"os\.path cannot be used"),
    (["--runner=collections.OrderedDict"], "hands its graphs to no job service"),
    (["--runner=dask"], "DaskRunner is refused: it loses data"),
    (["--runner=apache_beam.runners.dask.dask_runner.DaskRunner"], "DaskRunner is refused"),
    (["--runner=direct"], "DirectRunner is refused"),
    (["--runner=DataflowRunner"], "its workers cannot mount the run folder"),
    (["--runner=FlinkRunner", LOOPBACK], "FlinkRunner needs --job_endpoint=HOST:PORT"),
    (["--runner=PrismRunner"], "PrismRunner needs --job_endpoint=HOST:PORT"),
    ([RUNNER, LOOPBACK], "PortableRunner needs --job_endpoint=HOST:PORT"),
    ([RUNNER, "--job_endpoint=embed", LOOPBACK], "embed is not of the form HOST:PORT"),
    ([RUNNER, ENDPOINT], "give --environment_type=LOOPBACK .* or EXTERNAL"),
    ([RUNNER, ENDPOINT, "--environment_type=EXTERNAL"], "needs --environment_config=HOST:PORT"),
    ([RUNNER, ENDPOINT, "--environment_type=DOCKER"], "needs --environment_config=IMAGE"),
]


@pytest.mark.parametrize(("given", "said"), WRONG, ids=lambda one: " ".join(one)[:40])
def test_what_cannot_work_is_one_line(given, said):
    with pytest.raises(AssayError, match=said) as caught:
        check_options(given)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_what_can_work_passes():
    for given in (
        [],
        ["--runner=FnApiRunner"],
        ["--runner", "portable", ENDPOINT, LOOPBACK],
        [RUNNER, ENDPOINT, "--environment_type=EXTERNAL", "--environment_config=h:1"],
        [RUNNER, ENDPOINT, "--environment_type=EXTERNAL",
         "--environment_option=external_service_address=h:1"],
        ["--runner=FlinkRunner", ENDPOINT, LOOPBACK, "--parallelism=4"],  # Flink's own to refuse
    ):  # fmt: skip
        check_options(given)
    check_options([], workers=2)
    check_options(["--runner=FnApiRunner"], workers=2)


def test_workers_are_for_the_local_runner():
    with pytest.raises(AssayError, match="--workers is for FnApiRunner; with PortableRunner"):
        check_options([RUNNER, ENDPOINT, LOOPBACK], workers=2)


def test_runners_have_one_name():
    assert name_runner([]) == name_runner(["--runner=fnapi"]) == LOCAL
    assert name_runner(["--runner=flink"]) == "FlinkRunner"


def test_a_job_service_may_know_an_option_that_beam_does_not():
    assert list_unknown(["--parallelism=4"], ["parallelism"]) == []
    (line,) = list_unknown(["--paralelism", "4"], ["parallelism"])[:1]
    assert "did you mean --parallelism?" in line
