"""The API over kept calls, end to end over a real database and a real recording."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import av
import pytest
from structlog.testing import capture_logs

from offhook.foundation.events import ChannelKind, Direction
from offhook.foundation.ids import call_id as new_call_id
from offhook.storage.base import CallRecord
from offhook.web.headers import BodyLimit
from offhook.web.ranges import SoundResponse, Unsatisfiable, parse_range

NOBODY = "call_" + "0" * 26


async def test_a_call_is_listed_and_shown(stage: Any, kept_call: str) -> None:
    async with stage.client() as http:
        listed = (await http.get("/api/calls")).json()
        assert [call["id"] for call in listed["calls"]] == [kept_call]
        assert listed["next"] is None
        shown = (await http.get(f"/api/calls/{kept_call}")).json()
    assert shown["call"]["end_reason"] == "caller_hung_up"
    assert shown["call"]["recording"] == "sealed"
    assert [(turn["leg"], turn["text"]) for turn in shown["turns"]] == [
        ("caller", "Are you <open>?"),
        ("agent", "Yes & no."),
    ]
    assert [event["kind"] for event in shown["events"]] == ["transcript_final"] * 2


async def test_the_list_goes_on_by_pages_and_by_channel(stage: Any) -> None:
    ids = []
    for number in range(5):
        began = datetime(2026, 1, 1, 12, number, tzinfo=UTC)
        channel = ChannelKind.PHONE if number == 2 else ChannelKind.BROWSER
        ids.append(new_call_id())
        stage.parts.store.begin(CallRecord(ids[-1], Direction.INBOUND, channel, "default", "", "", began))
    await stage.parts.store.flush()
    async with stage.client() as http:
        first = (await http.get("/api/calls?limit=2")).json()
        assert [call["id"] for call in first["calls"]] == [ids[4], ids[3]]
        second = (await http.get("/api/calls", params={"limit": 3, "before": first["next"]})).json()
        assert [call["id"] for call in second["calls"]] == [ids[2], ids[1], ids[0]]
        assert second["next"] is None
        phone = (await http.get("/api/calls?channel=phone")).json()
        assert [call["id"] for call in phone["calls"]] == [ids[2]]


async def test_transcripts_in_three_forms(stage: Any, kept_call: str) -> None:
    async with stage.client() as http:
        path = f"/api/calls/{kept_call}/transcript"
        as_json = (await http.get(path)).json()
        assert [turn["text"] for turn in as_json["turns"]] == ["Are you <open>?", "Yes & no."]
        as_text = await http.get(path, params={"format": "text"})
        assert as_text.text == "[00:00] Caller: Are you <open>?\n[00:00] Agent: Yes & no.\n"
        as_vtt = await http.get(path, params={"format": "vtt"})
        assert as_vtt.headers["content-type"] == "text/vtt; charset=utf-8"
        assert "<v Caller>Are you &lt;open&gt;?</v>" in as_vtt.text


@pytest.mark.parametrize("format", ["ogg", "wav"])
async def test_recordings_whole_and_in_parts(stage: Any, kept_call: str, format: str) -> None:
    path = f"/api/calls/{kept_call}/recording?format={format}"
    async with stage.client() as http:
        whole = await http.get(path)
        assert whole.status_code == 200
        assert whole.headers["content-type"] == f"audio/{format}"
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert whole.headers["content-disposition"] == f'inline; filename="{kept_call}.{format}"'
        sound, size = whole.content, len(whole.content)
        for wanted, start, stop in [
            ("bytes=0-0", 0, 1),
            ("bytes=10-99", 10, 100),
            ("bytes=500-", 500, size),
            ("bytes=-7", size - 7, size),
            (f"bytes={size - 1}-{size * 9}", size - 1, size),
        ]:
            part = await http.get(path, headers={"Range": wanted})
            assert part.status_code == 206
            assert part.content == sound[start:stop], wanted
            assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        beyond = await http.get(path, headers={"Range": f"bytes={size}-"})
        assert beyond.status_code == 416
        assert beyond.headers["content-range"] == f"bytes */{size}"
        changed = await http.get(path, headers={"Range": "bytes=0-0", "If-Range": '"x"'})
        assert changed.status_code == 200
    with av.open(io.BytesIO(sound)) as container:
        stream = container.streams.audio[0]
        assert stream.channels == 2
        rate = stream.rate
        samples = sum(frame.samples for frame in container.decode(stream))
    assert samples / rate == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("format", ["ogg", "wav"])
async def test_the_head_of_a_recording_has_its_length_and_no_body(
    stage: Any, kept_call: str, format: str
) -> None:
    path = f"/api/calls/{kept_call}/recording?format={format}"
    async with stage.client() as http:
        whole, head = await http.get(path), await http.head(path)
        part = await http.head(path, headers={"Range": "bytes=10-19"})
        assert (await http.head(f"/api/calls/{new_call_id()}/recording")).status_code == 404
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["content-type"] == f"audio/{format}"
    assert (part.status_code, part.headers["content-length"], part.content) == (206, "10", b"")


@pytest.mark.parametrize("damage", [b"", bytes(range(256)) * 90, b"OggS" + bytes(range(256)) * 90])
async def test_a_damaged_recording_is_an_error_and_no_half_answer(
    stage: Any, kept_call: str, damage: bytes
) -> None:
    stage.parts.recordings.ogg(kept_call).write_bytes(damage)
    async with stage.client() as http:
        for format in ["wav"] if damage.startswith(b"OggS") else ["wav", "ogg"]:
            path = f"/api/calls/{kept_call}/recording?format={format}"
            for wanted in ({}, {"Range": "bytes=0-99"}):
                answer = await http.get(path, headers=wanted)
                assert (answer.status_code, answer.json()["error"]["code"]) == (500, "recording_damaged")
            assert (await http.head(path)).status_code == 500


async def test_damaged_peaks_are_an_error_too(stage: Any, kept_call: str) -> None:
    stage.parts.recordings.ogg(kept_call).with_name(f"{kept_call}.peaks.json").write_text("{")
    async with stage.client() as http:
        answer = await http.get(f"/api/calls/{kept_call}/peaks")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "recording_damaged")


async def test_a_sound_that_breaks_later_ends_without_a_traceback_and_is_logged_once() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"sound"
        raise OSError("the disk is gone")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return await asyncio.Event().wait()

    with capture_logs() as logs:
        response = SoundResponse(pieces(), 200, {"Content-Length": "10"}, "audio/wav")
        await response({"type": "http", "method": "GET", "asgi": {"spec_version": "2.0"}}, receive, send)
    assert [message.get("body") for message in sent] == [None, b"sound"]
    assert sent[-1]["more_body"], "the server sees that the body is not complete"
    assert [(log["event"], log["cause"]) for log in logs] == [("recording_cut_short", "the disk is gone")]


async def test_peaks(stage: Any, kept_call: str) -> None:
    async with stage.client() as http:
        peaks = (await http.get(f"/api/calls/{kept_call}/peaks")).json()
    assert peaks["duration_ms"] == 1000
    assert max(peaks["caller"]) == pytest.approx(12_000 / 32_768, abs=0.01)
    assert max(peaks["agent"]) == 0


async def test_a_recording_is_deleted_for_good(stage: Any, kept_call: str) -> None:
    path = f"/api/calls/{kept_call}/recording"
    async with stage.client() as http:
        assert (await http.delete(path)).status_code == 204
        assert (await http.get(path)).status_code == 404
        assert (await http.get(f"/api/calls/{kept_call}/peaks")).status_code == 404
        await stage.parts.store.flush()
        assert (await http.get(f"/api/calls/{kept_call}")).json()["call"]["recording"] == "deleted"
        assert (await http.delete(path)).status_code == 204
        assert (await http.delete(f"/api/calls/{NOBODY}/recording")).status_code == 404


ODD_IDS = (NOBODY, "x", "call_", "..%2f..%2fetc%2fpasswd", "%00", "call_" + "0" * 25 + "u", "é", "a" * 3000)


async def test_ids_of_nothing_are_not_found(stage: Any) -> None:
    async with stage.client() as http:
        for call_id in ODD_IDS:
            for rest in ("", "/transcript", "/recording", "/recording?format=wav", "/peaks"):
                answer = await http.get(f"/api/calls/{call_id}{rest}")
                assert answer.status_code == 404, (call_id, rest)
                assert set(answer.json()["error"]) == {"code", "message"}


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "channel=pigeon", "before=" + "x" * 65])
async def test_wrong_questions_are_answered_in_the_one_form(stage: Any, query: str) -> None:
    async with stage.client() as http:
        answer = await http.get(f"/api/calls?{query}")
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "invalid"
    assert error["message"].startswith(query.partition("=")[0])


async def test_bodies_have_a_bound(stage: Any) -> None:
    async with stage.client() as http:
        big = await http.post("/api/calls", content=b"x" * ((1 << 20) + 1))
        assert big.status_code == 413

        async def drip() -> Any:
            for _ in range(20):
                yield b"y" * 100_000

        assert (await http.post("/api/calls", content=drip())).status_code == 413
        odd = await http.post("/api/calls", content=b"{}", headers={"Content-Length": "1e3"})
        assert odd.status_code == 413


async def test_a_body_that_is_too_large_is_taken_before_it_is_refused() -> None:
    """Else a client that writes all of it before it reads sees a broken connection, and no 413."""
    sent: list[Any] = []
    waiting = [
        {"type": "http.request", "body": bytes(1 << 20), "more_body": more} for more in (True, True, False)
    ]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("asked all the same")

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [(b"content-length", b"3145728")]}
    await BodyLimit(app, 1 << 20)(scope, receive, send)
    assert (sent[0]["status"], waiting) == (413, [])
    waiting = [{"type": "http.request", "body": b"", "more_body": True}]
    await BodyLimit(app, 1 << 20)(
        {**scope, "headers": [*scope["headers"], (b"expect", b"100-continue")]}, receive, send
    )
    assert waiting, "who asks first need not send it"


async def test_the_database_may_be_gone(make_stage: Callable[..., Any]) -> None:
    from offhook.foundation.errors import StorageError

    stage = make_stage()

    async def fail(*_: object) -> Any:
        raise StorageError("rows cannot be read now")

    stage.parts.store.calls = fail
    async with stage.client() as http:
        answer = await http.get("/api/calls")
    assert answer.status_code == 503
    assert answer.json() == {"error": {"code": "unavailable", "message": "rows cannot be read now"}}


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=0-1,4-5", None),
        ("seconds=0-1", None),
        ("bytes=5-2", None),
        ("bytes=0-9", (0, 10)),
        ("BYTES=3-", (3, 10)),
        ("bytes=-99", (0, 10)),
    ],
)
def test_ranges(header: str | None, found: object) -> None:
    assert parse_range(header, 10) == found


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_ranges_outside(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, 10)
