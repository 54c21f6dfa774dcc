"""The registry of models, and pulling one from a server on loopback: resumed, checked, locked."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.foundation.errors import MissingModelError, NotFoundError, ProviderError
from offhook.speech import models
from offhook.speech.models import File, Model, Place
from offhook.speech.pull import pull, pull_with_bar

CONTENT = bytes(range(256)) * 9000


class Hub(http.server.ThreadingHTTPServer):
    """A hub whose faults can be set: it cuts answers, cannot resume, answers errors, sends other bytes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.ranges: list[str | None] = []
        self.cut: list[int] = []
        self.resumes = True
        self.status: list[int] = []
        self.content = CONTENT


class Answer(http.server.BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub = self.server
        asked = self.headers.get("Range")
        hub.ranges.append(asked)
        if hub.status:
            self.send_error(hub.status.pop(0))
            return
        if self.path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
            self.end_headers()
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and hub.resumes else 0
        if start >= len(hub.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(hub.content) - 1}/{len(hub.content)}")
        self.send_header("Content-Length", str(len(hub.content) - start))
        self.end_headers()
        body = hub.content[start:]
        self.wfile.write(body[: hub.cut.pop(0)] if hub.cut else body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OFFHOOK_MODELS", str(tmp_path / "cache"))
    return tmp_path / "cache" / "toy"


def toy(hub: Hub, way: str = "/models") -> Model:
    file = File("toy.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    url = f"http://127.0.0.1:{hub.server_address[1]}{way}"
    return Model("toy", "testing", "MIT", url, (file,), url=url)


def test_a_pull_brings_the_file_and_tells_how_far_it_is(hub: Hub, folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    model = toy(hub, "/moved/models")
    assert models.locate(model) == (Place.MISSING, None)
    assert pull(model, lambda *far: told.append(far)) == folder
    assert (folder / "toy.bin").read_bytes() == CONTENT
    assert told[-1] == ("toy.bin", len(CONTENT), len(CONTENT))
    assert models.locate(model) == (Place.CACHE, folder)
    requests = len(hub.ranges)
    assert pull_with_bar(model) == folder
    assert len(hub.ranges) == requests


def test_a_broken_download_is_resumed(hub: Hub, folder: Path) -> None:
    hub.cut = [1000, 500_000]
    pull(toy(hub))
    assert (folder / "toy.bin").read_bytes() == CONTENT
    assert hub.ranges[0] is None
    assert len(hub.ranges) == 3
    assert all(asked is not None for asked in hub.ranges[2:])
    assert not list(folder.glob("*.part"))


def test_what_an_earlier_run_left_is_resumed_or_begun_again(hub: Hub, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "toy.bin.part").write_bytes(CONTENT[:77])
    pull(toy(hub))
    assert hub.ranges == ["bytes=77-"]
    (folder / "toy.bin").unlink()
    (folder / "toy.bin.part").write_bytes(CONTENT[:77])
    hub.resumes = False
    pull(toy(hub))
    (folder / "toy.bin").unlink()
    (folder / "toy.bin.part").write_bytes(CONTENT + b"more")
    pull(toy(hub))
    (folder / "toy.bin").write_bytes(b"damaged")
    (folder / "toy.bin.part").write_bytes(CONTENT)
    pull(toy(hub))
    assert (folder / "toy.bin").read_bytes() == CONTENT


def test_a_wrong_checksum_is_thrown_away(hub: Hub, folder: Path) -> None:
    hub.content = CONTENT[::-1]
    with pytest.raises(ProviderError, match="wrong checksum"):
        pull(toy(hub))
    assert [path.name for path in folder.iterdir()] == [".pulling"]


@pytest.mark.parametrize("content", [CONTENT + b"x", CONTENT[:-1]])
def test_a_wrong_size_never_becomes_the_file(hub: Hub, folder: Path, content: bytes) -> None:
    hub.content = content
    with pytest.raises(ProviderError):
        pull(toy(hub))
    assert not (folder / "toy.bin").exists()


def test_refusals_and_outages_say_what_to_do(hub: Hub, folder: Path) -> None:
    hub.status = [404]
    with pytest.raises(ProviderError, match="answered 404"):
        pull(toy(hub))
    hub.status = [503]
    pull(toy(hub))
    (folder / "toy.bin").unlink()
    hub.status = [503, 503, 503]
    with pytest.raises(ProviderError, match="answered 503"):
        pull(toy(hub))
    gone = toy(hub)
    hub.shutdown()
    hub.server_close()
    with pytest.raises(ProviderError, match=r"cannot be reached \(ConnectError\).* by hand"):
        pull(gone)


def test_only_one_pulls_at_a_time(hub: Hub, folder: Path) -> None:
    model = toy(hub)

    def second(*far: object) -> None:
        with pytest.raises(ProviderError, match="another process"):
            pull(model)

    pull(model, second)


def test_what_cannot_be_written_or_pulled(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("OFFHOOK_MODELS", str(tmp_path / "file"))
    with pytest.raises(ProviderError, match="cannot be written"):
        pull(toy(hub))
    with pytest.raises(ProviderError, match="pip install --no-deps moonshine-voice"):
        pull(models.find("moonshine-tiny-en"))


def test_registry_names_are_unique_and_complete() -> None:
    assert len({model.name for model in models.MODELS}) == len(models.MODELS)
    for model in models.MODELS:
        assert model.purpose
        assert model.licence
        assert model.publisher.startswith("https://")
        assert model.size > 100_000
        assert model.inside or model.url
        assert all(len(file.sha256) == 64 for file in model.files)
    with pytest.raises(NotFoundError, match="qwen2"):
        models.find("gpt")


@pytest.mark.models
def test_packages_carry_the_weights_of_the_default_set() -> None:
    for name in ("moonshine-tiny-en", "smart-turn", "silero-vad", "hibari-heart"):
        assert models.locate(models.find(name))[0] is Place.PACKAGE
        assert models.damaged(models.find(name)) == []


def test_a_missing_model_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingModelError, match=r"offhook models pull qwen2\.5-1\.5b"):
        models.folder("qwen2.5-1.5b")
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    with pytest.raises(MissingModelError, match=r"pull smart-turn or pip install --no-deps pipecat-ai=="):
        models.folder("smart-turn")


def test_the_cache_is_where_it_was_told_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OFFHOOK_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models.cache() == tmp_path / "offhook"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert models.cache() == Path.home() / ".cache" / "offhook"
