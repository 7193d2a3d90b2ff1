"""Published files: the table, and fetching from a server on this machine."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import torch

from stages.errors import ArtifactError, SpaError, UsageError
from stages.models.encoders import ENCODERS
from stages.models.public_weights.download import fetch
from stages.models.public_weights.published import PUBLISHED, PublishedFile, published_file

pytestmark = pytest.mark.usefixtures("no_proxies")
CONTENT = bytes(range(256)) * 9000


class _Server(BaseHTTPRequestHandler):
    """Has one file; other paths say what is wrong with the answer."""

    def do_GET(self) -> None:
        kind = urlsplit(self.path).path.split("/")[1]
        if kind == "missing":
            self.send_error(404)
            return
        if kind == "moved":
            self.send_response(302)
            self.send_header("Location", "/whole/a%3Db.pt")
            self.end_headers()
            return
        self.send_response(200)
        if kind != "unannounced":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if kind == "broken" else CONTENT)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _file(server: str, kind: str = "whole") -> PublishedFile:
    url = f"{server}/{kind}/a%3Db.pt?dl=1"
    return PublishedFile("some:file", "mn04", url, len(CONTENT), sha256(CONTENT).hexdigest())


@pytest.mark.parametrize("kind", ["whole", "moved", "unannounced"])
@pytest.mark.parametrize("known", [True, False])
def test_a_file_is_downloaded_once(server: str, tmp_path: Path, kind: str, known: bool) -> None:
    published = _file(server, kind)
    if not known:
        published = replace(published, size_bytes=None, sha256=None)
    said: list[str] = []
    path = fetch(published, said.append, tmp_path / "weights")
    size = "size unknown" if kind == "unannounced" and not known else "2 MB"
    assert said == [f"downloading a=b.pt ({size}) from {published.url}"]
    assert path == tmp_path / "weights" / "a=b.pt"
    assert path.read_bytes() == CONTENT
    assert fetch(published, pytest.fail, tmp_path / "weights") == path
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("missing", {}, "HTTP Error 404"),
        ("broken", {}, f"it sent {len(CONTENT) // 2} bytes, not {len(CONTENT)}"),
        ("broken", {"size_bytes": None, "sha256": None}, f"not {len(CONTENT)}"),
        ("whole", {"size_bytes": 1000}, "bytes, not 1000"),
        ("whole", {"sha256": "0" * 64}, "it sent a file whose sha256 is"),
    ],
)
def test_what_is_not_the_file_leaves_nothing_behind(
    server: str,
    tmp_path: Path,
    kind: str,
    change: dict[str, int | str | None],
    message: str,
) -> None:
    published = replace(_file(server, kind), **change)  # type: ignore[arg-type]
    with pytest.raises(SpaError, match=message) as caught:
        fetch(published, lambda _: None, tmp_path)
    assert caught.value.message.startswith("some:file could not be downloaded from 127.0.0.1")
    assert caught.value.next_step == f"get {published.url} in another way, and give that file"
    assert not list(tmp_path.iterdir())


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        published = _file(f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(SpaError, match=r"could not be downloaded from 127\.0\.0\.1"):
            fetch(published, pytest.fail, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_network")
def test_a_copy_is_used_without_a_server(tmp_path: Path) -> None:
    (tmp_path / "a=b.pt").write_bytes(CONTENT)
    assert fetch(_file("http://nowhere"), pytest.fail, tmp_path) == tmp_path / "a=b.pt"


@pytest.mark.usefixtures("no_network")
def test_a_copy_that_is_another_file_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "a=b.pt").write_bytes(b"other")
    with pytest.raises(ArtifactError, match=r"a=b\.pt is not some:file as published") as caught:
        fetch(_file("http://nowhere"), pytest.fail, tmp_path)
    assert caught.value.next_step == "delete it, and it is downloaded again"
    assert (tmp_path / "a=b.pt").read_bytes() == b"other"


@pytest.mark.usefixtures("no_network")
def test_copies_of_other_programs_are_found_where_pytorch_keeps_them(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real mn04 file, at the place where PyTorch's own downloads are."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    real = shared / "data" / "weights" / "mn04_as_mAP_432.pt"
    (folder / real.name).write_bytes(real.read_bytes())
    published = published_file("efficientat:mn04_as")
    assert fetch(published, pytest.fail) == folder / real.name
    assert published.size_bytes == real.stat().st_size


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_entry_of_the_table_is_of_an_encoder(name: str) -> None:
    published = published_file(name)
    assert published.encoder in ENCODERS
    assert published.url.startswith("https://")
    assert published.file_name.endswith((".pt", ".pth"))
    assert (published.size_bytes is None) == (published.sha256 is None)


def test_an_unknown_name_is_helped() -> None:
    with pytest.raises(UsageError, match=r"'panns:cnn41' \(did you mean panns:cnn14\?\)$"):
        published_file("panns:cnn41")
    with pytest.raises(UsageError, match=r"no published checkpoint is called 'x'$"):
        published_file("x")
