"""What came of a call: kept on its timeline after the end, by whom, and not before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from offhook.foundation.events import ChannelKind, Direction
from offhook.foundation.ids import call_id as new_call_id
from offhook.storage.base import CallRecord

NOBODY = "call_" + "0" * 26


async def test_an_outcome_is_kept_with_the_call(stage: Any, kept_call: str) -> None:
    path = f"/api/calls/{kept_call}/wrap-up"
    async with stage.client() as http:
        for disposition, note in (("follow_up", "Call back"), ("resolved", "  ")):
            answer = await http.post(path, json={"disposition": disposition, "note": note})
            assert answer.status_code == 204, answer.text
        events = (await http.get(f"/api/calls/{kept_call}")).json()["events"]
    found = [event for event in events if event["kind"] == "wrapped_up"]
    assert [(one["disposition"], one["note"]) for one in found] == [
        ("follow_up", "Call back"),
        ("resolved", ""),
    ]
    assert found[0]["by"] == "local"
    assert len({event["seq"] for event in events}) == len(events)


async def test_what_cannot_be_wrapped_up_is_refused(stage: Any, kept_call: str) -> None:
    live = new_call_id()
    began = datetime(2026, 1, 1, tzinfo=UTC)
    stage.parts.store.begin(
        CallRecord(live, Direction.INBOUND, ChannelKind.BROWSER, "default", "", "", began)
    )
    wish = {"disposition": "resolved"}
    async with stage.client() as http:
        for call_id, body, status in (
            (live, wish, 409),
            (NOBODY, wish, 404),
            ("nonsense", wish, 404),
            (kept_call, {"disposition": "Not A Label"}, 422),
            (kept_call, {}, 422),
            (kept_call, {"disposition": "resolved", "note": "x" * 2_001}, 422),
            (kept_call, {"disposition": "resolved", "extra": 1}, 422),
        ):
            answer = await http.post(f"/api/calls/{call_id}/wrap-up", json=body)
            assert answer.status_code == status, (call_id, answer.text)
