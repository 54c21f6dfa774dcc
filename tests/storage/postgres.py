"""A PostgreSQL server of one's own on a unix socket, where its programs and a driver are installed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MISSING = [name for name in ("initdb", "postgres") if shutil.which(name) is None] + (
    [] if importlib.util.find_spec("psycopg") else ["psycopg"]
)
"""What is not installed; a test that needs the server says so and is skipped."""


def _user() -> dict[str, Any]:
    """PostgreSQL does not run as root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database, on a server that ends with this."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    who = _user()
    try:
        if who:
            shutil.chown(folder, who["user"])
        data = folder / "data"
        run = {"check": True, "capture_output": True, "cwd": folder, "timeout": 60, **who}
        subprocess.run(
            ["initdb", "-D", data, "-A", "trust", "-U", "offhook", "-E", "UTF8", "--no-sync"], **run
        )
        options = ["-k", folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=20"]
        program = Path(os.path.realpath(str(shutil.which("initdb")))).with_name("postgres")
        with open(folder.parent / f"{folder.name}.log", "wb") as log:
            child = subprocess.Popen(
                [program, "-D", data, *options], stdout=log, stderr=log, cwd=folder, **who
            )
        try:
            _wait(folder, child)
            yield f"postgresql+psycopg://offhook@/postgres?host={folder}"
        finally:
            child.send_signal(signal.SIGQUIT)
            child.wait(20)
    finally:
        Path(f"{folder}.log").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(folder: Path, child: subprocess.Popen[bytes]) -> None:
    """Until it lets somebody in: its socket is there before that."""
    import psycopg

    end = time.monotonic() + 30
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=str(folder), user="offhook", dbname="postgres", connect_timeout=5).close()
            return
        assert child.poll() is None, "PostgreSQL does not start"
        assert time.monotonic() < end, "PostgreSQL does not answer"
        time.sleep(0.05)
