"""An S3-compatible store: what it holds is read; what it refuses is one line."""

import pytest

from benchmarks.robustness.faulty_server import serving
from pipelines.readers.records import ReadOptions
from pipelines.readers.registry import READERS
from pipelines.readers.streams.remote import COPIES
from pipelines.work.units import bind, fingerprint, plan
from weighting.errors import AssayError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
LINES = b"".join(b'{"text": "line %d"}\n' % number for number in range(50))


@pytest.fixture(scope="module")
def port():
    boto3 = pytest.importorskip("boto3")
    server = pytest.importorskip("moto.server")
    moto = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _, number = moto.get_host_and_port()
    store = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{number}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    store.create_bucket(Bucket="corpus")
    for name in ("a/1.jsonl", "a/2.jsonl", "b/3.jsonl"):
        store.put_object(Bucket="corpus", Key=name, Body=LINES)
    yield number
    moto.stop()


@pytest.fixture
def store(port, monkeypatch):
    s3fs = pytest.importorskip("s3fs")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.setenv(name, "true")
    with serving({}, upstream=port) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        s3fs.S3FileSystem.clear_instance_cache()
        yield server
        s3fs.S3FileSystem.clear_instance_cache()


def read(units):
    parts = [part for unit in units for part in unit.slices]
    return [item for part in parts for item in READERS[part.reader].read(part, ReadOptions())]


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("s3://corpus", ["a/1.jsonl", "a/2.jsonl", "b/3.jsonl"]),
        ("s3://corpus/a", ["1.jsonl", "2.jsonl"]),
        ("s3://corpus/*/3.jsonl", ["3.jsonl"]),
        ("s3://corpus/a/1.jsonl", ["1.jsonl"]),
    ],
)
def test_objects_are_found_and_read_once_each(store, spec, names):
    units = plan([spec]).units
    units = bind(units, fingerprint(units))
    assert [part.name for unit in units for part in unit.slices] == names
    assert len(read(units)) == 50 * len(names)
    assert list(store.requests.values()) == [1] * len(names)


def test_faults_of_a_store_pass_or_fail_the_run(store):
    for fault in ("503", "cut", "lie", "drop"):
        units = plan(["s3://corpus/a"]).units
        units = bind(units, fingerprint(units))
        COPIES.forget()
        store.start_over(lambda path, before, fault=fault: fault if before < 2 else None)
        assert len(read(units)) == 100
        COPIES.forget()
        store.start_over(lambda path, before, fault=fault: fault)
        with pytest.raises(AssayError, match=r"s3://corpus/a/1\.jsonl (could be read|is not)"):
            read(units)
        store.start_over(lambda path, before: None)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("s3://none/a", "s3://none/a: cannot be opened .*bucket does not exist"),
        ("s3://corpus/none", "s3://corpus/none: no such file or folder"),
        ("s3://corpus/none.jsonl", "s3://corpus/none.jsonl: no such file or folder"),
    ],
)
def test_what_is_not_there_is_named(store, spec, message):
    with pytest.raises(AssayError, match=message) as caught:
        plan([spec])
    assert "\n" not in str(caught.value)


def test_no_credentials_and_a_dead_endpoint_are_one_line(store, monkeypatch):
    from s3fs import S3FileSystem

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    S3FileSystem.clear_instance_cache()
    with pytest.raises(AssayError, match="Unable to locate credentials"):
        plan(["s3://corpus/a"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    S3FileSystem.clear_instance_cache()
    with pytest.raises(AssayError, match="Could not connect to the endpoint") as caught:
        plan(["s3://corpus/a"])
    assert "\n" not in str(caught.value)
