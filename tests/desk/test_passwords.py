"""Passwords: argon2id, a few at once, the same work for nobody."""

from __future__ import annotations

import asyncio
import threading

import pytest
from argon2 import PasswordHasher

from offhook.desk import passwords
from offhook.desk.passwords import PasswordDesk, check_new, is_outdated, make_hash, matches
from offhook.foundation.errors import LimitError, WireError

PASSWORD = "correct horse battery"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take a millisecond."""
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    monkeypatch.setattr(passwords, "_nobodys", lambda: cheap.hash("nobody"))


def test_a_real_hash_is_argon2id_and_takes_real_work() -> None:
    hash = make_hash(PASSWORD)
    assert hash.startswith("$argon2id$v=19$m=65536,t=2,p=1$")
    assert matches(hash, PASSWORD)
    assert not matches(hash, PASSWORD + "x")
    assert not matches(None, "\0nobody"), "not even by the password that stands in for nobody's"
    assert not is_outdated(hash)
    assert is_outdated(PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD))


@pytest.mark.usefixtures("quick")
def test_letters_match_however_they_are_composed() -> None:
    assert matches(make_hash("crème brûlée!"), "cre\u0300me bru\u0302le\u0301e!")
    assert not matches("no hash at all", PASSWORD)


@pytest.mark.parametrize("bad", ["short", "x" * 300, "aaaaaaaaaaaa", "abababababab", "Sara-Qureshi"])
def test_passwords_that_are_refused(bad: str) -> None:
    with pytest.raises(WireError):
        check_new(bad, "sara-qureshi")


async def test_few_hash_at_once_and_few_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, lock = threading.Event(), threading.Lock()
    running = most = 0

    def slow(hash: str | None, password: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(5)
        with lock:
            running -= 1
        return True

    monkeypatch.setattr(passwords, "matches", slow)
    desk = PasswordDesk()
    tasks = [asyncio.create_task(desk.matches("h", "p")) for _ in range(passwords.WAITING + 5)]
    await asyncio.sleep(0)
    gate.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert most <= passwords.AT_ONCE
    refused = [each for each in done if isinstance(each, LimitError)]
    assert len(refused) == 5 - passwords.AT_ONCE
    assert done.count(True) == passwords.WAITING + passwords.AT_ONCE
