"""What one of several workers shares with the others: limits, tokens, live events, controls, metrics.

Each call lives in one worker, whose berth is in its id; who is asked about a call elsewhere asks that one.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from picows import WSTransport

from offhook.bus.base import Bus
from offhook.bus.line import Line, Message
from offhook.bus.spanning import SpanningBus, Topic
from offhook.bus.wire import Values
from offhook.center.queue_desk import QueueDesk
from offhook.channels.webrtc_sessions import RtcSessions
from offhook.foundation import ids
from offhook.foundation.errors import LimitError
from offhook.foundation.events import EndReason
from offhook.foundation.ids import berth_of, is_call_id
from offhook.speech.breaker import Health
from offhook.telemetry import CountingBus
from offhook.web.call_tokens import load_secret
from offhook.web.live_site import LiveParts
from offhook.web.metrics import Exposition, Metrics, Scrape
from offhook.web.ports import Directory, LiveCall, Recordings
from offhook.web.site import Parts
from offhook.workers.berths import held_berths, one_at_a_time
from offhook.workers.board import Board
from offhook.workers.desks import Desks
from offhook.workers.health import packed, together, unpacked
from offhook.workers.moving import move
from offhook.workers.peers import Peers
from offhook.workers.queues import QueueWay
from offhook.workers.scrape import merge
from offhook.workers.share import Share
from offhook.workers.shared import SharedTransfers, shared_commons
from offhook.workers.webrtc import WideSessions

RETRY_S = 0.5


class CountingSpan(CountingBus, SpanningBus):
    """The bus over all workers; metrics count what happens in this one."""


class WideDirectory:
    """Implements the doors' Directory: the calls here, with the count and the room of all workers."""

    def __init__(self, own: Directory, board: Board, slot: int) -> None:
        self._own = own
        self._board = board
        self._slot = slot

    @property
    def draining(self) -> bool:
        return self._own.draining

    @draining.setter
    def draining(self, value: bool) -> None:
        self._own.draining = value

    def get(self, call_id: str) -> LiveCall | None:
        return self._own.get(call_id)

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(self._own)

    def count(self) -> int:
        return self._own.count() + self._board.calls(but=self._slot)

    def capacity(self) -> int:
        return self._own.capacity() + self._board.room(but=self._slot)

    def hang_up(self, call_id: str, reason: EndReason) -> None:
        self._own.hang_up(call_id, reason)

    async def close(self, reason: EndReason, grace_s: float) -> None:
        await self._own.close(reason, grace_s)


class SharedRecordings:
    """Recordings, where a tape that still runs or waits to be sealed is deleted by the worker that has it."""

    def __init__(self, own: Recordings, crew: Crew) -> None:
        self._own = own
        self._crew = crew
        self.open_ogg, self.wav, self.peaks = own.open_ogg, own.wav, own.peaks

    async def delete(self, call_id: str) -> None:
        slot = self._crew.owner(call_id)
        if slot is None or slot == self._crew.slot:
            await self._own.delete(call_id)
            return
        answers = await self._crew.peers.ask("delete recording", call_id, to=[slot])
        if not answers.get(slot):
            raise LimitError("the worker that has this recording is busy or starting; try again")


class Crew(Share):
    """A worker's share. `berths` maps the slots of all workers to their berths; `first`: no worker of this
    house ran before this one. `note` is called when the count of calls changed."""

    def __init__(
        self,
        slot: int,
        berths: dict[int, int],
        first: bool,
        board: Board,
        line: Line,
        data: Path,
        calls_per_address: int,
    ) -> None:
        self.slot = slot
        self.peers = Peers(line)
        self.note: Callable[[], None] = lambda: None
        self.restarts: dict[int, int] = {}
        self.resume_prefix = f"{slot}."
        self._berths = berths
        self._first = first
        self._board = board
        self._line = line
        self._data = data
        self._calls_per_address = calls_per_address
        self._secret = b""
        self._theirs: frozenset[int] = frozenset()
        self._bus: SpanningBus | None = None
        self._behind: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._desks = Desks(self.peers, slot, self.owner)

    def close(self) -> None:
        self._desks.close()
        if self._timer is not None:
            self._timer.cancel()

    # While the house is built.

    @contextmanager
    def starting(self) -> Iterator[None]:
        with one_at_a_time(self._data):
            self._secret = load_secret(self._data / "call-token.key")
            self._theirs = held_berths(self._data) - {self._berths[self.slot]} if self._first else frozenset()
            yield

    def bus(self, metrics: Metrics) -> Bus:
        self._bus = CountingSpan(metrics)
        self._bus.connect(self)
        return self._bus

    def new_call_id(self) -> str:
        return ids.call_id(self._berths[self.slot])

    def is_ours(self, call_id: str) -> bool:
        """Calls of this berth; as a house starts, one worker takes those of every berth that nobody holds."""
        if self._first and self.slot == 0:
            return berth_of(call_id) not in self._theirs
        return berth_of(call_id) == self._berths[self.slot]

    def people(self, refresh: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def read_again(_: Any) -> bool:
            await refresh()
            return True

        async def tell() -> None:
            await self.peers.ask("people", None)

        self.peers.answer("people", read_again)
        return tell

    def live(self, parts: LiveParts) -> LiveParts:
        return self._desks.join(parts)

    def webrtc(self, own: RtcSessions) -> RtcSessions:
        return WideSessions(own, self.peers, self.slot)

    def queues(self, desk: QueueDesk) -> None:
        desk.join(QueueWay(self.peers, self.slot))

    def join(self, parts: Parts) -> Parts:
        self._listen(parts)
        transfers = SharedTransfers(parts.clock, self._transfer)
        self.peers.hear("transfer", lambda value, _: transfers.told(*value))
        commons = shared_commons(
            self._board, parts.clock, self.slot, self._calls_per_address, self._secret, transfers
        )
        recordings = SharedRecordings(parts.recordings, self) if parts.recordings is not None else None
        return replace(
            parts,
            commons=commons,
            recordings=recordings,
            house=WideDirectory(parts.directory, self._board, self.slot),
            elsewhere=self,
            gather=self.gather,
            providers=self._providers(parts.metrics),
        )

    # Counts.

    def calls_elsewhere(self) -> int:
        return self._board.calls(but=self.slot)

    def count(self, calls: int) -> None:
        self._board.report(self.slot, calls)
        self.note()

    # Calls elsewhere.

    def owner(self, call_id: str) -> int | None:
        """The slot of the worker whose berth a call's id names; None for calls of nobody here."""
        berth = berth_of(call_id) if is_call_id(call_id) else -1
        return next((slot for slot, each in self._berths.items() if each == berth), None)

    async def hang_up(self, call_id: str, reason: EndReason) -> bool:
        """Raises LimitError when a worker that may have the call does not answer."""
        whom = set(self.peers.roster)
        if is_call_id(call_id):
            whom &= {self.owner(call_id)}
        answers = await self.peers.ask("hang up", [call_id, reason], whom)
        if not any(answers.values()) and whom & self.peers.roster.keys() - answers.keys():
            raise LimitError("a worker that may have this call does not answer; try again")
        return any(answers.values())

    def move(self, transport: WSTransport, secret: str) -> bool:
        word, _, _ = secret.partition(".")
        slot = int(word) if word.isdecimal() and len(word) < 4 else -1
        if slot not in self.peers.roster:
            return False

        def hand(moved: dict[str, str], connection: socket.socket) -> bool:
            return self.peers.tell("moved", moved, [slot], connection)

        return move(transport, hand)

    def _listen(self, parts: Parts) -> None:
        directory, recordings = parts.directory, parts.recordings

        def hang_up(value: Any) -> bool:
            wanted, reason = value
            found = [call.id for call in directory if wanted in (call.id, call.arrival.vendor_id)]
            for call_id in found:
                directory.hang_up(call_id, EndReason(reason))
            return bool(found)

        async def delete(value: Any) -> bool:
            if recordings is not None:
                await recordings.delete(value)
            return True

        self.peers.answer("hang up", hang_up)
        self.peers.answer("delete recording", delete)
        self.peers.hear("entries", lambda batch, _: self._bus.receive(batch) if self._bus else None)
        self.peers.hear("gap", lambda slot, _: self._lost(slot))

    def _transfer(self, vendor_id: str, to: str) -> None:
        self.peers.tell("transfer", [vendor_id, to])

    # Metrics.

    def gather(self, own: Exposition) -> Scrape:
        """A scrape of all workers by one of them."""
        self.peers.answer("metrics", lambda _: own().decode())

        async def scrape() -> bytes:
            answers = await self.peers.ask("metrics", None)
            texts = {slot: text for slot, text in answers.items() if text} | {self.slot: own().decode()}
            up = {slot: slot in texts for slot in self._berths}
            return merge(texts, up, Counter(self.restarts)).encode()

        return scrape

    def _providers(self, metrics: Metrics) -> Callable[[], Awaitable[Sequence[Health]]]:
        """How the providers are doing in all workers; metrics have each worker's own."""
        self.peers.answer("providers", lambda _: packed(metrics.gauges.providers()))

        async def providers() -> Sequence[Health]:
            answers = await self.peers.ask("providers", None)
            return together(metrics.gauges.providers(), map(unpacked, filter(None, answers.values())))

        return providers

    # Events. Implements Others for the bus.

    def watch(self, topics: Sequence[Topic]) -> None:
        self._line.send({"kind": "watch", "topics": list(topics)})

    def entries(self, to: Sequence[int], batch: Sequence[Values]) -> bool:
        return self.peers.tell("entries", batch, to)

    def gap(self, to: Sequence[int]) -> None:
        if not self._behind:
            self._timer = asyncio.get_running_loop().call_later(RETRY_S, self._tell_gap)
        self._behind.update(to)

    def _tell_gap(self) -> None:
        to, self._behind = sorted(self._behind), set()
        if not self.peers.tell("gap", self.slot, to):
            self.gap(to)

    def _lost(self, slot: int) -> None:
        berth = self._berths.get(slot)
        if self._bus is not None:
            self._bus.lost(lambda call_id: is_call_id(call_id) and berth_of(call_id) == berth)

    # From the supervisor.

    def enlist(self, message: Message) -> None:
        """Who is up. What was watched of one that is not is lost."""
        before = self.peers.roster
        roster = {slot: self._berths[slot] for slot in message["up"] if slot != self.slot}
        self.restarts = {int(slot): count for slot, count in message["restarts"].items()}
        self.peers.enlist(roster)
        for slot in before.keys() - roster.keys():
            if self._bus is not None:
                self._bus.wanted(slot, ())
            self._lost(slot)

    def watched(self, message: Message) -> None:
        """What another worker's watchers want."""
        if self._bus is not None:
            self._bus.wanted(message["by"], message["topics"])
