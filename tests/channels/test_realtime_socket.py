"""A Realtime client's socket: what is wrong is told and the session goes on; bounds, floods, endings."""

from __future__ import annotations

import asyncio
import json
import random
import time
from types import SimpleNamespace
from typing import Any

import picows
import pytest
from tests.call.conftest import Replies
from tests.channels.realtime_calls import PCM, staged, tone

from offhook.channels.realtime import EVENT_BURST, MAX_QUEUED
from offhook.channels.realtime_items import MAX_CHARS, MAX_ITEMS, Items, Kept, shortened
from offhook.foundation.errors import RefusedError
from offhook.foundation.events import EndReason, LegKind
from offhook.protocols.realtime_door import MAX_EVENT

pytestmark = pytest.mark.looptime
LOUD, QUIET = tone(), tone(loud=False)

WRONG: list[tuple[bytes, str]] = [
    (b"", "invalid_json"),
    (b"\xff\xfe", "invalid_json"),
    (b"[]", "invalid_json"),
    (b'{"type":', "invalid_json"),
    (b"[" * 100_000, "invalid_json"),
    (b"{}", "invalid_value"),
    (b'{"type":7}', "invalid_value"),
    (b'{"type":"session.start"}', "invalid_value"),
    (b'{"type":"input_audio_buffer.append"}', "missing_required_parameter"),
    (b'{"type":"input_audio_buffer.append","audio":"%%%"}', "invalid_value"),
    (b'{"type":"input_audio_buffer.append","audio":"AAA"}', "invalid_value"),
    (b'{"type":"input_audio_buffer.append","audio":[1,2]}', "missing_required_parameter"),
    (b'{"type":"session.update"}', "missing_required_parameter"),
    (b'{"type":"session.update","session":{"audio":{"input":7}}}', "invalid_type"),
    (b'{"type":"conversation.item.create","item":{"type":"mcp_call"}}', "invalid_value"),
    (b'{"type":"conversation.item.retrieve","item_id":"none"}', "item_not_found"),
    (b'{"type":"input_audio_buffer.commit"}', "input_audio_buffer_commit_empty"),
    (b" " * (MAX_EVENT + 1), "string_above_max_length"),
]


async def test_every_kind_of_wrong_is_told_and_the_session_goes_on():
    async with staged() as stage:
        client = stage.connect()
        for raw, code in WRONG:
            client.clear()
            client.socket.receive_text(raw)
            (error,) = client.all("error")
            assert error["error"]["code"] == code, raw[:60]
            assert error["error"]["type"] == "invalid_request_error"
            assert client.closed is None
        client.socket.receive_binary(b'{"type":"session.update","session":{"type":"realtime"}}')
        assert client.all("session.updated"), "binary messages are read as text, as OpenAI's client may send"
        await client.stream(800, LOUD)
        assert (await client.wait("response.done"))["response"]["status"] == "completed"
        assert stage.watch.faults["EventError"] == len(WRONG)


async def test_any_bytes_at_all_do_no_harm():
    chance = random.Random(7)
    whole = json.dumps(
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user"}}
    ).encode()
    async with staged() as stage:
        client = stage.connect()
        for _ in range(600):
            raw = bytearray(whole)
            for _ in range(chance.randrange(1, 6)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
            client.socket.receive_text(bytes(raw[: chance.randrange(1, len(raw) + 1)]))
            await asyncio.sleep(0.01)
        assert client.closed is None
        assert len(client.all("error")) == 600


async def test_audio_may_be_cut_anywhere():
    async with staged() as stage:
        client = stage.connect()
        sound = LOUD * 50 + QUIET * 40
        for at in range(0, len(sound), 961):
            client.append(sound[at : at + 961])
            await asyncio.sleep(0.02)
        await client.wait("response.done")
        assert client.all("error") == []
        taped = b"".join(audio for _, audio in stage.reel.legs["caller"])
        assert len(taped) == pytest.approx(len(sound) * 2 / 3, abs=64)


async def test_no_more_audio_waits_than_two_minutes():
    async with staged() as stage:
        client = stage.connect()
        minute = PCM.silence(PCM.samples(59_000))
        for _ in range(2):
            client.append(minute)
        assert client.all("error") == []
        client.append(minute)
        assert client.last("error")["error"]["code"] == "rate_limit_exceeded"
        client.send("input_audio_buffer.clear")
        client.append(minute)
        assert len(client.all("error")) == 1


async def test_events_that_are_dropped_are_told_once_for_all():
    async with staged() as stage:
        client = stage.connect()
        for _ in range(int(EVENT_BURST) + 50):
            client.send("input_audio_buffer.clear")
        assert len(client.all("input_audio_buffer.cleared")) == EVENT_BURST
        assert [error["error"]["code"] for error in client.all("error")] == ["rate_limit_exceeded"]
        await asyncio.sleep(1)
        client.send("input_audio_buffer.clear")
        assert len(client.all("input_audio_buffer.cleared")) == EVENT_BURST + 1
        assert client.closed is None


async def test_a_flood_of_events_ends_the_session():
    async with staged() as stage:
        client = stage.connect()
        for _ in range(int(EVENT_BURST) * 6):
            client.send("input_audio_buffer.clear")
            if client.closed is not None:
                break
        assert client.closed == (1008, "too many events")


async def test_a_client_that_reads_nothing_is_cut_off():
    async with staged(Replies(["Words and words. "] * 30)) as stage:
        client = stage.connect()
        client.text("Hello?")
        client.unread = MAX_QUEUED + 1
        client.send("response.create")
        await asyncio.sleep(0.5)
        assert client.cut


async def test_a_client_that_wants_no_call_is_let_go_and_a_silent_one_is_pinged():
    async with staged() as stage:
        idle, silent = stage.connect(), stage.connect()
        silent.text("Hello?")
        await asyncio.sleep(21)
        assert silent.pings
        assert silent.cut
        await asyncio.sleep(100)
        assert idle.closed == (1000, "nothing was asked for")


async def test_a_client_that_answers_pings_stays():
    async with staged() as stage:
        client = stage.connect()
        client.text("Hello?")
        pong = SimpleNamespace(msg_type=picows.WSMsgType.PONG, fin=True, rsv1=0, rsv2=0, rsv3=0)
        for _ in range(60):
            await asyncio.sleep(1)
            if client.pings:
                client.socket.on_ws_frame(None, pong)  # type: ignore[arg-type]
                client.pings = 0
        assert not client.cut


@pytest.mark.parametrize(("code", "reason"), [(1006, "peer_lost"), (1000, "caller_hung_up")])
async def test_the_end_of_the_connection_is_the_end_of_the_call(code: int, reason: str):
    async with staged() as stage:
        client = stage.connect()
        await client.stream(600, LOUD)
        client.socket._peer_code = code
        stage.hang_up(client)
        await asyncio.sleep(0.2)
        assert stage.directory.count() == 0
        assert stage.store.ended[0][1] == reason


async def test_a_stopping_server_tells_its_clients():
    async with staged() as stage:
        client = stage.connect()
        client.text("Hello?")
        await asyncio.sleep(0.1)
        (call,) = stage.directory
        call.session.hang_up(EndReason.SERVER_STOPPED)
        assert client.last("error")["error"]["code"] == "server_stopping"
        assert client.closed[0] == 1001


async def test_a_client_secrets_session_that_cannot_be_had_is_told_and_not_begun():
    async with staged() as stage:
        client = stage.connect({"type": "realtime", "audio": {"output": {"voice": "gone"}}})
        (error,) = client.events
        assert (error["type"], error["error"]["param"]) == ("error", "session.audio.output.voice")
        assert client.closed is not None
        assert client.closed[0] == 1008


async def test_an_agent_that_is_refused_ends_the_session():
    async with staged() as stage:
        client = stage.connect()

        def refuse(channel: Any, arrival: Any) -> Any:
            raise RefusedError("not from here")

        client.socket.channel._reception = SimpleNamespace(arrive=refuse)
        client.text("Hello?")
        assert client.closed == (1008, "not from here")


class Unsteered:
    """A call whose vendor takes the turns: it cannot be steered."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def arrive(self, channel: Any, arrival: Any) -> Any:
        return "call_1", self

    def on_audio(self, audio: bytes, at_ms: int) -> None:
        self.told.append(("audio", len(audio)))

    def on_text(self, text: str) -> None:
        self.told.append(("text", text))

    def on_mark(self, name: str) -> None:
        self.told.append(("mark", name))

    def on_closed(self, reason: EndReason) -> None:
        self.told.append(("closed", reason))


async def test_a_call_that_cannot_be_steered_still_hears_and_is_told_what_is_written():
    async with staged() as stage:
        client = stage.connect()
        call = Unsteered()
        client.socket.channel._reception = call
        client.append(LOUD)
        client.text("Hello?")
        client.text("A note.", role="assistant")
        assert call.told == [("audio", 640), ("text", "Hello?")]
        for kind in ("response.create", "session.update", "input_audio_buffer.commit"):
            client.send(kind, session={"type": "realtime", "instructions": "x"})
            assert client.last("error")["error"]["code"] in ("unsupported", "input_audio_buffer_commit_empty")
        client.text("Be kind.", role="system")
        assert client.last("error")["error"]["code"] == "unsupported"
        client.send("response.cancel")
        client.send(
            "conversation.item.delete", item_id=client.all("conversation.item.added")[0]["item"]["id"]
        )
        assert client.last("conversation.item.deleted")
        client.send("input_audio_buffer.clear")
        channel = client.socket.channel
        channel.play(bytes(640))
        channel.mark("m1")
        await asyncio.sleep(0.1)
        assert call.told[-1] == ("mark", "m1")
        channel.clear()
        stage.hang_up(client)
        assert call.told[-1][0] == "closed"
        channel.play(bytes(640))


def test_items_are_bounded_and_lines_are_those_that_were_said():
    items = Items()
    assert items.last is None
    for number in range(MAX_ITEMS + 1):
        items.add(Kept({"id": f"i{number}"}, LegKind.CALLER, f"line {number}"))
    assert len(items) == MAX_ITEMS
    assert "i0" not in items
    assert next(items.lines()) == (LegKind.CALLER, "line 1")


def test_the_characters_of_items_are_bounded():
    items = Items()
    for number in range(20):
        items.add(Kept({"id": f"i{number}"}, brought=MAX_CHARS // 10))
    assert len(items) == 10
    items.remove("i15")
    items.add(Kept({"id": "i20"}, brought=MAX_CHARS // 10))
    assert len(items) == 10
    assert "i10" in items


async def test_a_long_history_is_brought_in_while_others_are_served():
    async with staged() as stage:
        client = stage.connect()
        for role, text, after in (
            ("user", "x " * 30_000, ""),
            ("system", "y " * 30_000, ""),
            ("user", "z " * 99, "root"),
        ):
            began = time.process_time()
            for _ in range(200):
                client.text(text, role, previous_item_id=after)
            assert time.process_time() - began < 2.0
            client.clear()


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, ""), (0.4, "one"), (0.54, "one two"), (0.99, "one two"), (1.0, "one two three")]
)
def test_a_text_is_shortened_by_whole_words(share: float, text: str):
    assert shortened("one two three", share) == text
