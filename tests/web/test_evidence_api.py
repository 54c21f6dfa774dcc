"""Evidence over HTTP: who may have it, what is noted, entities pinned and added, the node's key."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.desk.evidence_stage import EVENTS, keep_call, sealed

from offhook.desk.evidence.desk import EvidenceDesk
from offhook.desk.evidence.verify import verify
from offhook.foundation.desk_events import EntityFound, EntityPinned
from offhook.foundation.events import CallEvent, Entry
from offhook.foundation.ids import call_id as new_call_id
from offhook.storage.base import CallState
from offhook.web import evidence_routes


async def _stage(make_stage: Callable[..., Any], sound: bool = True) -> tuple[Any, str]:
    stage = make_stage()
    call_id = await keep_call(stage.parts.store, stage.parts.recordings if sound else None, 0.1)
    if sound:
        await sealed(stage.parts.store, call_id)
    return stage, call_id


async def test_a_package_is_whole_noted_and_signed_with_the_nodes_key(
    make_stage: Callable[..., Any], tmp_path: Path
) -> None:
    stage, call_id = await _stage(make_stage)
    async with stage.client() as client:
        key = (await client.get("/api/node-key")).json()
        answer = await client.get(f"/api/calls/{call_id}/evidence")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["content-disposition"] == f'attachment; filename="evidence-{call_id}.zip"'
    path = tmp_path / "package.zip"
    path.write_bytes(answer.content)
    report = verify(path, key["fingerprint"])
    assert (report.findings, report.trusted, report.call_id) == ([], True, call_id)
    assert key["algorithm"] == "Ed25519"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.read("node-key.pem").decode() == key["public_key"]
        (noted,) = map(json.loads, file.read("audit.jsonl").splitlines())
    assert (noted["action"], noted["call_id"], noted["person"]) == ("export", call_id, "local")


async def test_calls_without_evidence(make_stage: Callable[..., Any]) -> None:
    stage, _ = await _stage(make_stage, sound=False)
    async with stage.client() as client:
        for unknown in ("call_00000000000000000000000000", "nothing"):
            for answer in (
                await client.get(f"/api/calls/{unknown}/evidence"),
                await client.post(f"/api/calls/{unknown}/entities", json={"id": "x"}),
            ):
                assert answer.status_code == 404
    async with stage.client(peer="203.0.113.9") as client:
        assert (await client.get(f"/api/calls/{unknown}/evidence")).status_code == 403


async def test_only_so_many_at_once(make_stage: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    stage, call_id = await _stage(make_stage, sound=False)
    async with stage.client() as client:
        for _ in range(evidence_routes.AT_ONCE + 2):  # those that are done leave their place
            assert (await client.get(f"/api/calls/{call_id}/evidence")).status_code == 200
        monkeypatch.setattr(evidence_routes, "AT_ONCE", 0)
        assert (await client.get(f"/api/calls/{call_id}/evidence")).status_code == 503


async def test_entities_are_pinned_let_go_and_added(make_stage: Callable[..., Any]) -> None:
    stage, call_id = await _stage(make_stage, sound=False)
    async with stage.client() as client:
        url = f"/api/calls/{call_id}/entities"
        shown = (await client.get(f"/api/calls/{call_id}")).json()["entities"]
        assert [(one["id"], one["pinned"]) for one in shown] == [("own_1", True), ("entity_1", True)]
        freed = (await client.post(url, json={"id": "entity_1", "pinned": False})).json()["entities"]
        assert [(one["id"], one["pinned"]) for one in freed] == [("own_1", True), ("entity_1", False)]
        wish = {"type": "name", "value": " Ms Blue ", "at_ms": 1200}
        added = (await client.post(url, json=wish)).json()["entities"]
        (blue,) = (one for one in added if one["value"] == "Ms Blue")
        assert (blue["pinned"], blue["at_ms"], blue["added_by"]) == (True, 1200, "local")
        assert (await client.get(f"/api/calls/{call_id}")).json()["entities"] == added


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "entity_9"}, 404),
        ({}, 400),
        ({"type": "UPPER", "value": "x"}, 400),
        ({"type": "name", "value": "  "}, 400),
        ({"type": "name", "value": "x" * 501}, 422),
        ({"type": "name", "value": "x", "at_ms": -1}, 422),
        ({"id": "entity_1", "surprise": 1}, 422),
    ],
)
async def test_wrong_wishes(make_stage: Callable[..., Any], body: dict[str, Any], status: int) -> None:
    stage, call_id = await _stage(make_stage, sound=False)
    async with stage.client() as client:
        answer = await client.post(f"/api/calls/{call_id}/entities", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


async def test_a_live_call_is_told_on_its_own_timeline(
    make_stage: Callable[..., Any], tmp_path: Path
) -> None:
    stage, call_id = await _stage(make_stage, sound=False)
    store, told = stage.parts.store, []

    def emit(to: str, event: CallEvent) -> bool:
        told.append((to, event))
        return True

    from offhook.foundation.people import LOCAL_PERSON

    here = EvidenceDesk(store, None, None, tmp_path, stage.clock, emit)
    await here.pin(call_id, LOCAL_PERSON, "entity_1", False)
    assert told == [(call_id, EntityPinned("entity_1", "local", False, {}))]

    ended = await store.call(call_id)
    live = new_call_id()
    store.begin(replace(ended, id=live, state=CallState.LIVE, ended_at=None, end_reason=None))
    found = next(event for event in EVENTS if isinstance(event, EntityFound))
    store.keep(Entry(live, 1, 100, found))
    await store.flush()
    async with stage.client() as client:
        answer = await client.post(f"/api/calls/{live}/entities", json={"id": found.id})
        assert answer.status_code == 409, "it is live elsewhere"
        assert (await client.get(f"/api/calls/{live}/evidence")).status_code == 409
    assert [event["seq"] for event in await store.events(live)] == [1]
