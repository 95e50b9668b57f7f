"""A server on 127.0.0.1 that fails, stalls, cuts and lies as told.

It serves files of its own over HTTP, or stands before another server, such as an S3-compatible one,
and hands its answers on. Faults hit GETs of whole files only: what a server tells wrong at every
request cannot be told from the truth.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

STATUSES = {"503": 503, "404": 404, "403": 403}
FAULTS = (*STATUSES, "stall", "cut", "lie", "other", "drop")
SAME_HEADERS = ("content-type", "etag", "last-modified", "x-amz-bucket-region")
STALL_SECONDS = 20.0

Choose = Callable[[str, int], str | None]  # of a path and how often it was asked for before


def choose_none(_path: str, _before: int) -> str | None:
    """Choose no fault."""
    return None


class Answer(NamedTuple):
    """What a server that works would answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class FaultyServer(ThreadingHTTPServer):
    """Serves `files` by path; without them, what the server at port `upstream` answers.

    `choose` names the fault of a request (one of FAULTS), or none. `hits` counts faults by name,
    `requests` the GETs by path.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, files: Mapping[str, bytes], upstream: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.upstream = files, upstream
        self.choose: Choose = choose_none
        self.hits: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.heads: Counter[str] = Counter()
        self.others = 0
        self.headers: dict[str, str] = {}  # that are sent with every answer

    @property
    def url(self) -> str:
        """The address of its root."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start_over(self, choose: Choose) -> None:
        """Choose faults in another way from now on, and count anew."""
        self.choose = choose
        for counter in (self.hits, self.requests, self.heads):
            counter.clear()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Say nothing of clients that leave early."""


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: FaultyServer

    def do_GET(self) -> None:
        """Send a file, a listing, or a fault."""
        path = self.path.partition("?")[0]
        answer = self._ask()
        fault = None
        if self._is_file(answer):
            fault = self.server.choose(path, self.server.requests[path])
            self.server.requests[path] += 1
        if fault:
            self.server.hits[fault] += 1
            self._fail(fault, answer)
        else:
            self._send(answer, len(answer.body), answer.body)

    def do_HEAD(self) -> None:
        """Send the headers of a file."""
        self.server.heads[self.path] += 1
        answer = self._ask()
        self._send(answer, int(answer.headers.get("content-length", len(answer.body))), b"")

    def _is_file(self, answer: Answer) -> bool:
        return answer.status == 200 and "/." not in self.path and "list-type" not in self.path

    def _ask(self) -> Answer:
        if self.server.upstream:
            return self._ask_upstream()
        body = self.server.files.get(self.path)
        if body is not None:
            return Answer(200, {"content-type": "application/octet-stream"}, body)
        names = [name for name in self.server.files if name.startswith(self.path)]
        links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
        if self.path.endswith("/") and names:
            return Answer(200, {"content-type": "text/html"}, links.encode())
        return Answer(404, {}, b"")

    def _ask_upstream(self) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        connection.request(self.command, self.path, headers=dict(self.headers))
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        headers = {name.lower(): value for name, value in reply.getheaders()}
        return Answer(reply.status, headers, body)

    def _fail(self, fault: str, answer: Answer) -> None:
        body, half = answer.body, answer.body[: len(answer.body) // 2]
        if fault in STATUSES:
            self._send(Answer(STATUSES[fault], {}, b""), 0, b"")
        elif fault == "lie":
            self._send(answer, len(half), half)
        elif fault == "other":
            self.server.others += 1  # never the same one again, which would be the truth
            at = self.server.others % max(1, len(body))
            self._send(answer, len(body), body[:at] + b"\x07" + body[at + 1 :])
        elif fault != "drop":
            self._send(answer, len(body), half)
            if fault == "stall":
                self._wait()
        self.close_connection = True

    def _wait(self) -> None:
        self.wfile.flush()
        end = time.monotonic() + STALL_SECONDS
        while time.monotonic() < end:
            time.sleep(0.05)

    def _send(self, answer: Answer, length: int, body: bytes) -> None:
        with suppress(ConnectionError):
            self.send_response(answer.status)
            for name in SAME_HEADERS:
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            for name, value in self.server.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(files: Mapping[str, bytes], upstream: int = 0) -> Iterator[FaultyServer]:
    """Run a server in a thread of this process until the block ends."""
    with FaultyServer(files, upstream) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
