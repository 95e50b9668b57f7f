"""The Prefect flow, once for real against a temporary server, and its declared deployment."""

from pathlib import Path

import pytest
import yaml

from flows.privacy import OFF, switch_off_telemetry
from flows.run.stages import DATA_STAGES
from pipelines.engine.failures import WorkerDied
from weighting.contracts.manifest import check_files, read_manifest
from weighting.errors import AssayError, MayPass
from weighting.storage.failures import CannotWrite

ROOT = Path(__file__).resolve().parents[2]

# Prefect's server and client leave sockets and loops to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture
def server(monkeypatch):
    """A temporary Prefect server on the loopback address."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=100):
        yield


@pytest.mark.slow
def test_the_flow_runs_every_stage_and_then_skips_them(server, make_corpus, tmp_path):
    from prefect.client.orchestration import get_client

    from flows.curate_and_compare import curate_and_compare

    corpus = [str(path) for path in make_corpus(tmp_path / "corpus")]
    out, recipe = str(tmp_path / "run"), tmp_path / "recipe.toml"
    recipe.write_text('name = "small"\n[split]\nvalidation = 0.2\n[tokenizer]\nvocab_size = 300')
    summary = curate_and_compare(corpus, out, recipe=str(recipe), steps=2, seeds=1)
    manifest = read_manifest(tmp_path / "run")
    check_files(tmp_path / "run", manifest.files)
    assert summary["read"] == 68
    assert summary["kept"] == manifest.counts.documents.records.kept == 61
    assert summary["verdicts"] == [
        "weighted against plain: one seed, so no interval and no verdict"
    ]
    shards = {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "shards").iterdir()}
    assert curate_and_compare(corpus, out, recipe=str(recipe), steps=2, seeds=1) == summary
    assert shards == {path: path.stat().st_mtime_ns for path in shards}
    with get_client(sync_client=True) as client:
        names = [run.name for run in client.read_task_runs()]
    stages = ["prepare", *DATA_STAGES, "compare", "present"]
    assert sorted(names) == sorted(stages * 2)
    recipe.write_text(f'name = "next"\n[tokenizer]\npath = "{out}/tokenizer.json"')
    again = str(tmp_path / "again")
    known = curate_and_compare(corpus, again, recipe=str(recipe), against=(out,))
    assert (known["read"], known["kept"]) == (68, 0)
    assert read_manifest(tmp_path / "again").inputs[-1].name == f"against {out}"


def test_the_deployment_names_the_flow_and_its_parameters():
    import inspect

    from flows.curate_and_compare import curate_and_compare

    deployment = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"][0]
    path, name = deployment["entrypoint"].split(":")
    assert (ROOT / path).is_file()
    assert name == curate_and_compare.fn.__name__
    assert set(deployment["parameters"]) <= set(inspect.signature(curate_and_compare.fn).parameters)
    environment = deployment["work_pool"]["job_variables"]["env"]
    assert environment == {name: OFF[name] for name in environment}


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (MayPass("https://host/a.jsonl: cannot be read (503)"), True),
        (WorkerDied("a worker process was ended by SIGKILL"), True),
        (ConnectionResetError("gone"), True),
        (AssayError("a.jsonl: no such file or folder"), False),
        (CannotWrite("run: cannot be written"), False),
        (AttributeError("a defect"), False),
    ],
)
def test_only_what_may_pass_is_tried_again(error, again):
    from prefect.states import Failed

    from flows.curate_and_compare import may_pass, prepare, run_data_stage

    assert may_pass(None, None, Failed(data=error)) is again
    for task in (prepare, run_data_stage):
        assert (task.retries, task.retry_condition_fn) == (2, may_pass)


def test_no_task_is_taken_from_a_cache():
    from prefect.cache_policies import NO_CACHE

    from flows import curate_and_compare as module

    tasks = (module.prepare, module.run_data_stage, module.compare, module.present)
    assert [task.cache_policy for task in tasks] == [NO_CACHE] * 4


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"beam": ("--runer=PortableRunner",)}, "did you mean --runner"),
        ({"beam": ("--runner=PortableRunner",)}, "needs --job_endpoint"),
        ({"out": "s3://bucket/run"}, "not at a URL"),
        ({"against": ("s3://bucket/run",)}, "not at a URL"),
    ],
)
def test_the_flow_refuses_what_the_command_refuses(given, said, tmp_path):
    from flows.curate_and_compare import curate_and_compare

    with pytest.raises(AssayError, match=said):
        curate_and_compare.fn(**{"inputs": ["nowhere"], "out": str(tmp_path / "run"), **given})
    assert not (tmp_path / "run").exists()


def test_telemetry_is_off_unless_the_user_says_otherwise(monkeypatch):
    import os

    for name in OFF:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    switch_off_telemetry()
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert os.environ["DO_NOT_TRACK"] == "0"
