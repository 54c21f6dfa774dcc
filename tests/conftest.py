"""Leak checks around every test, and Hypothesis profiles. No fixtures of any one floor live here."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

_GRACE = 2.0
"""Seconds that threads and descriptors, whose end is not in our hands, get to go."""

_POOLS = ("offhook-speech", "tqdm", "pytest_timeout", "AnyIO worker thread")
"""Names of threads that are one per process by design and may start lazily within a test."""

_DESCRIPTORS = ("/dev/urandom", "/dev/null", "/proc/")
"""What libraries open once per process and keep."""

SLOW = [hypothesis.HealthCheck.too_slow]  # says something of the machine, not of the test
hypothesis.settings.register_profile("dev", deadline=None, max_examples=50, suppress_health_check=SLOW)
hypothesis.settings.register_profile(
    "ci", deadline=None, max_examples=100, derandomize=True, suppress_health_check=SLOW
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "leaks(reason): the test leaves something behind on purpose")
    # looptime asks for the current loop around sync tests too; asyncio would make one each time.
    asyncio.set_event_loop(None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            place = item.fixturenames.index("no_leaks") + 1
            item.fixturenames.insert(place, "no_leaked_tasks")


def _exempt(request: pytest.FixtureRequest) -> bool:
    return any(request.node.get_closest_marker(name) for name in ("leaks", "e2e"))


def _settles(leaked: Callable[[], list[str]]) -> list[str]:
    """What is still there after the grace period."""
    end = time.monotonic() + _GRACE
    found = leaked()
    if found:
        gc.collect()
    while found and time.monotonic() < end:
        time.sleep(0.01)
        found = leaked()
    return found


def _threads(before: set[threading.Thread]) -> list[str]:
    new = [thread for thread in threading.enumerate() if thread not in before]
    return [thread.name for thread in new if not thread.name.startswith(_POOLS)]


def _descriptors() -> Counter[str]:
    """Targets of this process's open descriptors; sockets and pipes without their numbers."""
    found: Counter[str] = Counter()
    for link in Path("/proc/self/fd").iterdir() if os.path.isdir("/proc/self/fd") else ():
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if not any(kept in target for kept in _DESCRIPTORS):
            found[target.partition(":[")[0] if ":[" in target else target] += 1
    return found


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Threads and file descriptors are back where they were once the test and its fixtures are done."""
    if _exempt(request):
        yield
        return
    threads, descriptors = set(threading.enumerate()), _descriptors()
    yield
    assert _settles(lambda: _threads(threads)) == [], "threads outlived the test"
    left = _settles(lambda: sorted((_descriptors() - descriptors).elements()))
    assert left == [], "file descriptors outlived the test"


@pytest.fixture
async def no_leaked_tasks(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """No asyncio task outlives an async test. Added to each of them by collection."""
    before = asyncio.all_tasks()
    yield
    if _exempt(request):
        return

    def left() -> list[str]:
        own = asyncio.current_task()
        tasks = asyncio.all_tasks() - before - {own}
        return sorted(repr(task) for task in tasks if not task.done())

    for _ in range(20):
        if not left():
            return
        await asyncio.sleep(0.005)
    assert left() == [], "tasks outlived the test"
