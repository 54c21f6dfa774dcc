"""What people in a room write and ask for: chat, keys of a telephone, methods. Bounded per participant."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from livekit import rtc

from offhook.channels.livekit_peers import Peer
from offhook.channels.livekit_words import CHAT
from offhook.foundation.errors import OffhookError

if TYPE_CHECKING:
    from offhook.channels.livekit_room import RoomCall

MAX_TEXT = 2_000
MAX_STREAM = 16_384
READ_S = BEGIN_S = 5.0
HOST = "offhook.host"
"""Attribute of participants whose token says that they may speak through the agent."""
REFUSED = 1403
"""Code of an RPC error of our own: not allowed, or not now."""
_DIGITS = frozenset("0123456789*#ABCD")
_log = structlog.get_logger(__name__)


class Talk:
    """Of one room."""

    def __init__(self, call: RoomCall) -> None:
        self._call = call
        self._room: rtc.Room | None = None
        self.dropped = 0

    def listen(self, room: rtc.Room) -> None:
        """From now on."""
        self._room = room
        room.on("data_received", self._data)
        room.on("sip_dtmf_received", self._digit)
        room.register_text_stream_handler(CHAT, self._chat)
        me = room.local_participant
        for name, method in self._methods().items():
            me.register_rpc_method(f"offhook.{name}", self._guarded(method))

    # Bounds.

    def _admitted(self, identity: str) -> Peer | None:
        """Who sends, where they may send now. Who goes on sending far too much is removed."""
        peer = self._call.company.find(identity)
        if peer is None:
            return None
        if peer.valve.admit(asyncio.get_running_loop().time()):
            return peer
        self.dropped += 1
        if peer.valve.flooding and not peer.flooded:
            peer.flooded = True
            _log.warning("a participant floods a room and is removed", call_id=self._call.call_id)
            self._call.spawn(self._call.throw_out(identity), "flood")
        return None

    # What comes.

    def _data(self, packet: rtc.DataPacket) -> None:
        """Packets of other applications are none of ours, but they are counted."""
        if packet.participant is not None:
            self._admitted(packet.participant.identity)

    def _digit(self, pressed: rtc.SipDTMF) -> None:
        who = pressed.participant
        peer = self._admitted(who.identity) if who is not None else None
        if peer is not None and peer.listener is not None and pressed.digit in _DIGITS:
            peer.listener.on_digit(pressed.digit)

    def _chat(self, reader: rtc.TextStreamReader, identity: str) -> None:
        peer = self._admitted(identity)
        if peer is None or (peer.listener is None and self._call.company.begun.is_set()):
            reader.close()
        else:
            self._call.spawn(self._read(reader, peer), "chat")

    async def _read(self, reader: rtc.TextStreamReader, peer: Peer) -> None:
        text = ""
        try:
            async with asyncio.timeout(READ_S):
                async for piece in reader:
                    text += piece
                    if len(text) > MAX_TEXT:
                        break
        except Exception as error:  # a stream that was broken off, or is too slow
            _log.info("a chat line was not read", error=type(error).__name__)
            return
        finally:
            reader.close()
        line = text.strip()[:MAX_TEXT]
        with suppress(TimeoutError):  # who came first may write before the call has begun
            async with asyncio.timeout(BEGIN_S):
                await self._call.company.begun.wait()
        if line and peer.listener is not None:
            self._call.words.expect_answer()
            peer.listener.on_text(line)

    # Methods.

    def _methods(self) -> dict[str, Callable[[Peer, dict[str, object]], dict[str, object]]]:
        return {"state": self._state, "interrupt": self._interrupt, "say": self._say, "text": self._text}

    def _guarded(
        self, method: Callable[[Peer, dict[str, object]], dict[str, object]]
    ) -> Callable[[rtc.RpcInvocationData], str]:
        def invoke(asked: rtc.RpcInvocationData) -> str:
            peer = self._admitted(asked.caller_identity)
            if peer is None:
                raise rtc.RpcError(REFUSED, "too many requests")
            try:
                return json.dumps(method(peer, _payload(asked.payload)))
            except OffhookError as error:
                raise rtc.RpcError(REFUSED, error.reason) from None

        return invoke

    def _state(self, peer: Peer, wish: dict[str, object]) -> dict[str, object]:
        caller = self._call.company.caller
        people = [{"identity": one.identity, "name": one.name} for one in self._call.company.here]
        return {
            "call_id": self._call.call_id,
            "state": self._call.words.state,
            "caller": caller.identity if caller is not None else "",
            "people": people,
        }

    def _interrupt(self, peer: Peer, wish: dict[str, object]) -> dict[str, object]:
        party = self._call.party
        if party is None:
            raise rtc.RpcError(REFUSED, "there is no call yet")
        party.interrupt()
        return {}

    def _say(self, peer: Peer, wish: dict[str, object]) -> dict[str, object]:
        party, text = self._call.party, wish.get("text")
        if not self._is_host(peer):
            raise rtc.RpcError(REFUSED, "only a host may speak through the agent")
        if party is None or not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_TEXT:
            raise rtc.RpcError(REFUSED, f"say needs a call, and a text of at most {MAX_TEXT} characters")
        party.say(text.strip(), peer.identity, peer.name)
        return {}

    def _text(self, peer: Peer, wish: dict[str, object]) -> dict[str, object]:
        text = wish.get("text")
        if peer.listener is None or not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_TEXT:
            raise rtc.RpcError(REFUSED, f"text needs a call, and at most {MAX_TEXT} characters")
        self._call.words.expect_answer()
        peer.listener.on_text(text.strip())
        return {}

    def _is_host(self, peer: Peer) -> bool:
        found = self._room.remote_participants.get(peer.identity) if self._room is not None else None
        return found is not None and found.attributes.get(HOST) == "1"


def _payload(text: str) -> dict[str, object]:
    """The JSON object of a method's payload; nothing for nothing."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise rtc.RpcError(REFUSED, "the payload is no JSON object")
    return found
