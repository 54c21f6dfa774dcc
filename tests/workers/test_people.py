"""Who is logged in is logged in with every worker, until they are not; the audit log has one chain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest
from tests.chaos.callers import until
from tests.e2e.served import Server
from tests.workers.conftest import Serve, answered_by

PASSWORD = "correct horse battery"


def offhook(home: Path, *words: str) -> str:
    """The command line on a house's folder, with the password by standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "offhook", *words],
        cwd=home,
        env=os.environ | {"OFFHOOK_DATA": str(home / "data")},
        input=PASSWORD + "\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


@pytest.fixture
def staffed(tmp_path: Path, serve: Serve) -> Server:
    offhook(tmp_path, "user", "add", "boss", "--role", "admin")
    return serve()


async def ask(server: Server, cookie: str, method: str = "GET", path: str = "/api/calls") -> int:
    """The status of a request on a connection of its own, by whichever worker."""
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as http:
        answer = await http.request(method, path, headers={"Cookie": cookie})
    return answer.status_code


async def test_a_session_is_one_of_all_workers(tmp_path: Path, staffed: Server) -> None:
    async def login() -> str:
        async with httpx.AsyncClient(base_url=staffed.url, timeout=20) as http:
            answer = await http.post("/api/session", json={"name": "boss", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return answer.headers["set-cookie"].partition(";")[0]

    async def all_say(cookie: str, wanted: int, path: str) -> None:
        """Each of both workers, at once: there is no moment at which they differ."""
        for _ in range(30):
            assert await ask(staffed, cookie, path=path) == wanted
            if answered_by(staffed, path.partition("?")[0]) == {0, 1}:
                return
        pytest.fail("one worker answered everything")

    cookie = await login()
    await all_say(cookie, 200, "/api/calls")
    assert await ask(staffed, cookie, "DELETE", "/api/session") == 204
    await all_say(cookie, 401, "/api/providers")
    cookies = [await login() for _ in range(4)]
    await all_say(cookies[-1], 200, "/api/users")

    offhook(tmp_path, "user", "password", "boss")

    async def thrown_out() -> bool:
        found = Counter([await ask(staffed, each) for each in cookies * 2])
        return found == {401: 8}

    await until(thrown_out, 6, "both workers saw what the command line did")
    assert offhook(tmp_path, "audit", "verify").startswith("The audit log is whole: ")
