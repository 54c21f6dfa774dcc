"""Offhook starts with its core dependencies alone: what extras and developers install is out of reach."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement

_SERVE = '''
import sys


class Veiled:
    """A finder that does not see what is foreign."""

    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name in foreign else self.finder.find_spec(name, path, target)


foreign = set(sys.argv.pop().split(","))
sys.meta_path[:] = map(Veiled, sys.meta_path)
from offhook.cli.main import main

main()
'''


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _with_what_they_need(asked: list[str]) -> set[str]:
    """The distributions that an installer would bring for these requirements."""
    todo, seen = [Requirement(one) for one in asked], set()
    while todo:
        one = todo.pop()
        key = (_normal(one.name), frozenset(one.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            needs = [Requirement(line) for line in requires(one.name) or []]
        except PackageNotFoundError:
            continue
        wanted = [{"extra": extra} for extra in one.extras or {""}]
        todo += [need for need in needs if need.marker is None or any(map(need.marker.evaluate, wanted))]
    return {name for name, _ in seen}


def test_a_server_starts_with_the_core_alone(tmp_path: Path) -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    core = _with_what_they_need(project["project"]["dependencies"]) | {"offhook"}
    foreign = [
        module
        for module, names in packages_distributions().items()
        if not core.intersection(map(_normal, names)) and module not in sys.stdlib_module_names
    ]
    assert {"pytest", "mypy"} <= set(foreign)
    command = [sys.executable, "-c", _SERVE, "serve", "--engine", "scripted", "--port", "0"]
    with subprocess.Popen(
        [*command, ",".join(foreign)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"OFFHOOK_DATA": str(tmp_path / "data"), "PYTHONDONTWRITEBYTECODE": "1"},
    ) as server:
        assert server.stdout is not None
        said: list[str] = []
        for line in server.stdout:
            said.append(line)
            if "is ready" in line:
                break
        server.send_signal(signal.SIGTERM)
        rest, _ = server.communicate(timeout=20)
    assert "is ready" in said[-1], "".join(said) + rest
    assert server.returncode == 0
