"""A Hugging Face hub on 127.0.0.1, as far as fetching a model asks it, and a cache of its own.

fake_hub   serves the repositories of a folder, each at one commit; `refuse` makes it answer with an
           error; `asked` has the paths of all requests
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BRANCHES = ("main", "stage1-step10")


@dataclass
class FakeHub:
    """What the server serves, and what it was asked."""

    folder: Path  # of OWNER/NAME folders
    address: str = ""
    refusal: tuple[int, Mapping[str, str]] | None = None
    refused: str = ""  # paths that are refused begin with it
    broken: int = 0  # requests of files that still break off in the middle
    asked: list[str] = field(default_factory=list)

    def refuse(self, status: int, code: str = "", message: str = "", path: str = "") -> None:
        """Answer every request for what begins with `path` with an error."""
        self.refusal = (status, {"X-Error-Code": code, "X-Error-Message": message})
        self.refused = path


class Handler(BaseHTTPRequestHandler):
    """Answers as the hub does."""

    hub: FakeHub

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self.do_GET(body=False)

    def do_GET(self, body: bool = True) -> None:
        """Answer what fetching a snapshot asks."""
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(path)
        if self.hub.refusal and path.startswith(self.hub.refused):
            self.answer(self.hub.refusal[0], b"", self.hub.refusal[1], body)
        elif path.startswith("/api/models/"):
            owner, name, what, revision = path.removeprefix("/api/models/").split("/", 3)
            self.tell(f"{owner}/{name}", what, revision)
        else:
            owner, name, _, _, file = path.removeprefix("/").split("/", 4)
            content = (self.hub.folder / owner / name / file).read_bytes()
            cut = body and self.hub.broken > 0
            self.hub.broken -= cut
            given = {"ETag": f'"{len(content)}-{file}"', "X-Repo-Commit": COMMIT}
            self.answer(200, content, given, body, cut)

    def tell(self, repository: str, what: str, revision: str) -> None:
        """Answer what is known of a repository, or its list of files."""
        folder = self.hub.folder / repository
        if not folder.is_dir():
            self.answer(401, b"", {"X-Error-Code": "RepoNotFound"})
        elif revision not in (*BRANCHES, COMMIT):
            self.answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        else:
            files = [
                {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": path.name}
                for path in sorted(folder.iterdir())
            ]
            told = {"id": repository, "modelId": repository, "sha": COMMIT, "siblings": []}
            content = json.dumps(told if what == "revision" else files).encode()
            self.answer(200, content, {"Content-Type": "application/json"})

    def answer(
        self,
        status: int,
        content: bytes,
        headers: Mapping[str, str],
        body: bool = True,
        cut: bool = False,
    ) -> None:
        """Send an answer; `cut` off in the middle of its body."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content[: len(content) // 2] if cut else content)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[FakeHub]:
    """Serve a folder of repositories."""
    hub = FakeHub(folder)
    handler = type("Bound", (Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield hub
        server.shutdown()
        thread.join()


@pytest.fixture
def fake_hub(tmp_path, monkeypatch):
    """See the module docstring."""
    from huggingface_hub import constants

    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    (tmp_path / "hub").mkdir()
    with serving(tmp_path / "hub") as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.address)
        template = f"{hub.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield hub
