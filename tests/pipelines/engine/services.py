"""Beam's own job service and worker pools, for the tests of other runners."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def serving_here() -> Iterator[str]:
    """Run a job service in this process, which is quick; yield its address."""
    from apache_beam.runners.portability.local_job_service import LocalJobServicer

    service = LocalJobServicer()
    port = service.start_grpc_server()
    try:
        yield f"localhost:{port}"
    finally:
        service.stop()


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Run a job service in a process of its own; yield its address and the process."""
    port = folder / "port"
    command = [
        *(sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main"),
        *("--port", "0", "--port_file", str(port), "--pid_file", str(folder / "pid")),
    ]
    with _process(command, folder) as process:
        while not (port.exists() and port.read_text().strip()):
            assert process.poll() is None
            time.sleep(0.1)
        yield f"127.0.0.1:{port.read_text().strip()}", process


@contextmanager
def pooling(folder: Path, packages: Path = ROOT) -> Iterator[str]:
    """Run a pool of workers in `folder`, with assay's packages from a folder; yield its address."""
    port = find_port()
    command = [
        *(sys.executable, "-P", "-m", "apache_beam.runners.worker.worker_pool_main"),
        *("--service_port", str(port)),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(packages),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    with _process(command, folder, environment):
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=60)
        yield f"127.0.0.1:{port}"


def find_port() -> int:
    """Return a port on which nothing listens."""
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _process(
    command: list[str], folder: Path, environment: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        process.terminate()  # a pool ends its workers
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def list_options(endpoint: str, pool: str | None = None) -> list[str]:
    """Return the options that send graphs to a job service: LOOPBACK, or EXTERNAL with a pool."""
    options = ["--runner=PortableRunner", f"--job_endpoint={endpoint}"]
    if pool is None:
        return [*options, "--environment_type=LOOPBACK"]
    return [*options, "--environment_type=EXTERNAL", f"--environment_config={pool}"]
