"""Users of a house under test, and how they come in."""

from __future__ import annotations

from typing import Any

import httpx

from offhook.foundation.people import LOCAL_PERSON, Role

KEY = "a-long-api-key"
PASSWORD = "correct horse battery"
THERE = "203.0.113.9"
PAGE = {"Sec-Fetch-Site": "same-origin"}


async def staffed(stage: Any) -> Any:
    """The stage with an admin, a supervisor, and an operator who serves the agent `sales`."""
    accounts = stage.parts.people.accounts
    await accounts.add(LOCAL_PERSON, "boss", PASSWORD, Role.ADMIN)
    await accounts.add(LOCAL_PERSON, "omar", PASSWORD, Role.SUPERVISOR)
    await accounts.add(LOCAL_PERSON, "sara", PASSWORD, Role.OPERATOR, agents=["sales"])
    return stage


async def login(http: httpx.AsyncClient, name: str, password: str = PASSWORD) -> httpx.Response:
    return await http.post("/api/session", json={"name": name, "password": password}, headers=PAGE)


class Browser:
    """A logged-in client on another machine."""

    def __init__(self, stage: Any, name: str) -> None:
        self._http = stage.client(THERE, headers=PAGE)
        self._name = name

    async def __aenter__(self) -> httpx.AsyncClient:
        assert (await login(self._http, self._name)).status_code == 200
        return self._http

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()


async def entries(house: Any, **query: Any) -> list[dict[str, Any]]:
    """Of the audit log, as an admin reads them."""
    await house.parts.people.audit.flush()
    async with Browser(house, "boss") as boss:
        await house.parts.people.audit.flush()
        found: list[dict[str, Any]] = (await boss.get("/api/audit", params=query)).json()["entries"]
    return found
