"""The file checks find what they are for, and let honest files pass."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

_PATH = Path(__file__).parent.parent.parent / "scripts" / "check_files.py"


@pytest.fixture(scope="module")
def checks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_files", _PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("lines", "fails"), [(250, []), (251, [False]), (400, [False]), (401, [True])])
def test_long_files(checks: ModuleType, lines: int, fails: list[bool]) -> None:
    assert [fault[0] for fault in checks.size_faults("x.ts", "a\n" * lines)] == fails


@pytest.mark.parametrize(("lines", "fails"), [(40, []), (41, [False]), (60, [False]), (61, [True])])
def test_long_functions(checks: ModuleType, lines: int, fails: list[bool]) -> None:
    text = "class A:\n    async def f(self):\n" + "        pass\n" * (lines - 1)
    assert [fault[0] for fault in checks.size_faults("x.py", text)] == fails


@pytest.mark.parametrize(
    ("name", "text", "finding"),
    [
        ("a.py", "path = '" + "/" + "home/someone/x'", "exists on one machine only"),
        ("a.md", "-----BEGIN " + "PRIVATE KEY-----", "a private key"),
        ("a.md", "sk-" + "a1" * 20, "an OpenAI key"),
        ("a.md", "AC" + "0123456789abcdef" * 2, ""),
        ("a.md", "AC" + "9f3b" * 8, "a Twilio account"),
        ("a.md", "https://user:" + "hunter22@host", "credentials in an address"),
        ("package-lock.json", '"resolved": "https://x/y.tgz"', '"resolved"'),
        ("constraints.txt", "x @ https://x/y.whl", "holds an address"),
        ("constraints.txt", "--index-url x", "names a package index"),
        ("constraints.txt", "httpx==0.28.1", ""),
        ("a.md", "https://example.com/home/page and ./" + "work/x", ""),
    ],
)
def test_what_must_not_be_committed(checks: ModuleType, name: str, text: str, finding: str) -> None:
    found = " ".join(checks.text_faults(name, text))
    assert finding in found
    assert bool(found) == bool(finding)
