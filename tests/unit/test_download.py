"""Downloads from servers that close, stall, refuse or answer something else."""

import hashlib
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from latent_navigator.data.download import Patience, download

CONTENTS = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENTS).hexdigest()
PATIENCE = Patience(timeout=0.3, attempts=2, pause=0, max_bytes=1_000_000)
REMEDY = "copy it to data/raw"


class Server(ThreadingHTTPServer):
    """Misbehaves as the path says; `requests` are those it got, `stop` ends what stalls."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.stop = threading.Event()

    def url(self, kind: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{kind}/file.gz"

    def count(self, kind: str) -> int:
        """How often this was asked for."""
        return sum(f"/{kind}/" in path for path in self.requests)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        kind = self.path.split("/")[-2]
        self.server.requests.append(self.path)
        self.close_connection = True
        if kind.isdecimal():
            self.send_error(int(kind))
        else:
            answer: Callable[[], None] = getattr(self, kind)
            answer()

    do_CONNECT = do_GET

    def answer(self, body: bytes, kind: str = "application/gzip", length: int = 0) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def good(self) -> None:
        self.answer(CONTENTS)

    def moved(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.server.url("good"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def flaky(self) -> None:
        """Closes the first connection."""
        if self.server.count("flaky") > 1:
            self.good()

    def closed(self) -> None:
        """No answer at all."""

    def garbage(self) -> None:
        self.wfile.write(b"\x00\x01garbage\r\n\r\n")

    def stalled(self) -> None:
        self.server.stop.wait(30)

    def stalled_later(self) -> None:
        self.answer(CONTENTS[:1000], length=len(CONTENTS))
        self.server.stop.wait(30)

    def trickling(self) -> None:
        self.answer(b"", length=len(CONTENTS))
        for _ in range(500):  # 10 s, so that a client without a limit fails the test
            if self.server.stop.wait(0.02):
                return
            self.wfile.write(b"x")

    def cut(self) -> None:
        self.answer(CONTENTS[:1000], length=len(CONTENTS))

    def cut_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"ffff\r\nabc")

    def page(self) -> None:
        self.answer(b"<html>Please log in</html>", "text/html; charset=utf-8")

    def other(self) -> None:
        self.answer(CONTENTS[::-1])

    def too_long(self) -> None:
        self.answer(b"", length=10**12)

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.server.stop.is_set():
            self.wfile.write(bytes(100_000))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    # A client that closes first is part of the tests.
    monkeypatch.setattr(socketserver.BaseServer, "handle_error", lambda *_: None)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.stop.set()
            server.shutdown()
            thread.join()


@pytest.mark.guarantee("downloads-end")
@pytest.mark.parametrize("kind", ["good", "moved", "flaky"])
def test_a_file_is_downloaded(server: Server, tmp_path: Path, kind: str) -> None:
    download([server.url(kind)], tmp_path / "file.gz", MD5, REMEDY, PATIENCE)
    assert (tmp_path / "file.gz").read_bytes() == CONTENTS
    assert [path.name for path in tmp_path.iterdir()] == ["file.gz"]


FAULTS = [
    ("closed", "the connection was closed early", 2),
    ("garbage", "not the answer of a web server", 2),
    ("stalled", "no answer within 0.3 s", 2),
    ("stalled_later", "no answer within 0.3 s", 2),
    ("trickling", "bytes in 0 s", 2),
    ("cut", "ended after 1,000 of 256,000 bytes", 2),
    ("cut_chunks", "the connection was closed early", 2),
    ("page", "a web page instead of the file; does the network need a login?", 2),
    ("other", "256,000 bytes that are not the file (wrong checksum)", 2),
    ("too_long", "more than 1,000,000 bytes", 2),
    ("endless", "more than 1,000,000 bytes", 2),
    ("403", "status 403 Forbidden", 1),
    ("404", "status 404 Not Found", 1),
    ("407", "set HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT", 1),
    ("503", "status 503 Service Unavailable", 2),
]


@pytest.mark.guarantee("downloads-end")
@pytest.mark.parametrize(("kind", "reason", "requests"), FAULTS, ids=[kind for kind, *_ in FAULTS])
def test_a_failure_is_one_sentence_with_the_remedy(
    server: Server, tmp_path: Path, kind: str, reason: str, requests: int
) -> None:
    began = time.monotonic()
    with pytest.raises(OSError, match=r"file\.gz could not be downloaded") as caught:
        download([server.url(kind)], tmp_path / "file.gz", MD5, REMEDY, PATIENCE)
    assert time.monotonic() - began < 20
    message = str(caught.value)
    assert f"{server.url(kind)}: " in message
    assert reason in message
    assert message.endswith("check the network and run again, or copy it to data/raw")
    assert "\n" not in message
    assert server.count(kind) == requests
    assert list(tmp_path.iterdir()) == []


@pytest.mark.guarantee("downloads-end")
@pytest.mark.parametrize("kind", [kind for kind, *_ in FAULTS])
def test_a_mirror_replaces_a_server_that_fails(server: Server, tmp_path: Path, kind: str) -> None:
    urls = [server.url(kind), server.url("good")]
    download(urls, tmp_path / "file.gz", MD5, REMEDY, PATIENCE)
    assert (tmp_path / "file.gz").read_bytes() == CONTENTS
    assert server.count(kind) == 1


@pytest.mark.guarantee("downloads-end")
def test_addresses_without_a_server_are_named(server: Server, tmp_path: Path) -> None:
    urls = [server.url("good"), "http://name.invalid/file.gz", "nonsense", "http://[/file.gz"]
    server.shutdown()
    server.server_close()
    with pytest.raises(OSError, match="could not be downloaded") as caught:
        download(urls, tmp_path / "file.gz", MD5, REMEDY, PATIENCE)
    assert all(f"{url}: " in str(caught.value) for url in urls)
    assert f"{urls[0]}: the connection was refused" in str(caught.value)


def test_a_file_in_place_is_kept_until_the_new_one_is_whole(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(b"before")
    with pytest.raises(OSError, match="ended after"):
        download([server.url("cut")], path, MD5, REMEDY, PATIENCE)
    assert path.read_bytes() == b"before"


@pytest.mark.guarantee("downloads-end")
def test_the_proxy_of_the_environment_is_used(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_address[1]}")
    download(["http://name.invalid/good/file.gz"], tmp_path / "file.gz", MD5, REMEDY, PATIENCE)
    assert server.requests == ["http://name.invalid/good/file.gz"]


@pytest.mark.guarantee("downloads-end")
def test_a_proxy_that_asks_for_a_password_is_explained(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "do_CONNECT", lambda self: self.send_error(407))
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.server_address[1]}")
    with pytest.raises(OSError, match="status 407 Proxy Authentication Required; set HTTPS_PROXY"):
        download(["https://name.invalid/file.gz"], tmp_path / "file.gz", MD5, REMEDY, PATIENCE)


def test_progress_goes_to_stderr(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    download([server.url("good")], tmp_path / "file.gz", MD5, REMEDY, PATIENCE)
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert stderr == f"Downloading {server.url('good')}\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [("timeout", 0), ("min_rate", -1), ("max_bytes", 0), ("attempts", 0), ("pause", -1)],
)
def test_impatience_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}; give a number"):
        Patience(**{name: value})  # type: ignore[arg-type]
