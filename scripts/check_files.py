"""Checks what no linter does: file and function sizes, machine paths, registry hosts, secrets.

Usage: python scripts/check_files.py [--table]. Exit code 1 when a rule is broken; warnings do not fail.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LIMIT, FILE_WARNING = 400, 250
FUNCTION_LIMIT, FUNCTION_WARNING = 60, 40
SIZED = {".py", ".ts", ".tsx", ".css"}
LOCKS = {"package-lock.json", "constraints.txt", "weights.txt"}
LARGEST_READ = 2_000_000

_MACHINE_PATHS = re.compile(r"(?<![\w.:/])/(?:work|home|root|Users)/[A-Za-z0-9_.-]+")
_HOSTS = re.compile(r"https?://[A-Za-z0-9.-]+", re.IGNORECASE)
_RESOLVED = re.compile(r'"resolved"\s*:\s*"(?:https?|git|file)')
_INDEX = re.compile(
    r"^\s*(?:-i\b|--index-url|--extra-index-url|--find-links|-f\b)|^\s*registry\s*=", re.MULTILINE
)
_SECRETS = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")),
    ("an OpenAI key", re.compile(r"\bsk-(?:proj-)?[A-Za-z0-9_-]{32,}\b")),
    ("a Twilio account or key id", re.compile(r"\b(?:AC|SK)(?!(.)\1{7})(?!0123456789)[0-9a-f]{32}\b")),
    ("an AWS key id", re.compile(r"\bAKIA[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b")),
    (
        "credentials in an address",
        re.compile(r"https?://[^/\s:@'\"{}\[\]]+:[^/\s@'\"{}\[\]]{6,}@[A-Za-z0-9]"),
    ),
)
_SECRET_OK = "check_files: a made-up secret"
"""A line with this comment holds an example, not a secret."""


def tracked_files() -> list[Path]:
    """Files that are or would be committed, sorted."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not _generated(path)]
    return sorted(path for path in set(paths) if path.is_file() and not path.is_symlink())


def _generated(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return any(part in ("node_modules", "data", "dist") or part.startswith(".") for part in parts)


def text_of(path: Path) -> str | None:
    """The file's text; None for what is not text, or too large to have been written by hand."""
    if path.stat().st_size > LARGEST_READ:
        return None
    content = path.read_bytes()
    try:
        return None if b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None


def function_sizes(text: str) -> Iterator[tuple[str, int, int]]:
    """(name, first line, lines) of every function and method of Python source."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def size_faults(name: str, text: str) -> Iterator[tuple[bool, str]]:
    """(fails, sentence) for a source file that is, or holds functions that are, too long."""
    lines = text.count("\n")
    if lines > FILE_WARNING:
        yield lines > FILE_LIMIT, f"{name}: {lines} lines (aim {FILE_WARNING}, limit {FILE_LIMIT})"
    if name.endswith(".py"):
        for function, line, size in function_sizes(text):
            if size > FUNCTION_WARNING:
                limits = f"(aim {FUNCTION_WARNING}, limit {FUNCTION_LIMIT})"
                yield size > FUNCTION_LIMIT, f"{name}:{line}: {function}() has {size} lines {limits}"


def text_faults(name: str, text: str) -> Iterator[str]:
    """Sentences for machine paths, registry hosts in lock files and secrets."""
    lock = Path(name).name in LOCKS
    if lock and _RESOLVED.search(text):
        yield f'{name}: has "resolved" addresses; a lock file pins names, versions and hashes only'
    if (lock or Path(name).name in (".npmrc", "pip.conf")) and _INDEX.search(text):
        yield f"{name}: names a package index; ordinary clients know theirs"
    if Path(name).name in ("constraints.txt", "weights.txt") and _HOSTS.search(text):
        yield f"{name}: holds an address; pins are name==version"
    for number, line in enumerate(text.splitlines(), 1):
        if _SECRET_OK in line:
            continue
        if not lock and (found := _MACHINE_PATHS.search(line)):
            yield f"{name}:{number}: the path {found.group()} exists on one machine only"
        for what, pattern in _SECRETS:
            if pattern.search(line):
                yield f"{name}:{number}: looks like {what}"


def main() -> int:
    """Check every tracked file; print faults to stderr."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="store_true", help="print the 10 largest source files")
    table = parser.parse_args().table
    failures, warnings, sizes = [], [], []
    for path in tracked_files():
        name = path.relative_to(ROOT).as_posix()
        text = text_of(path)
        if text is None:
            continue
        failures += list(text_faults(name, text))
        if path.suffix in SIZED:
            sizes.append((text.count("\n"), name))
            for fails, sentence in size_faults(name, text):
                (failures if fails else warnings).append(sentence)
    if table:
        for lines, name in sorted(sizes, reverse=True)[:10]:
            print(f"{lines:5}  {name}")
    for sentence in warnings:
        print(f"warning: {sentence}", file=sys.stderr)
    for sentence in failures:
        print(f"error: {sentence}", file=sys.stderr)
    print(f"{len(sizes)} source files, {len(failures)} errors, {len(warnings)} warnings")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
