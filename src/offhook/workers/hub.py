"""What the supervisor knows of its workers: who takes the next caller, and the messages between them.

Starts no process and accepts no connection.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from offhook.bus.line import Line, Message

STALE_S = 2.0
"""A worker that said nothing for so long gets no caller while another can take one."""


@dataclass(slots=True)
class Post:
    """One worker's place. `given`: callers that it was given; `report`: what it said last, at `heard`."""

    slot: int
    line: Line | None = None
    ready: bool = False
    given: int = 0
    last_given: int = 0
    report: Message = field(default_factory=dict)
    heard: float = 0.0
    topics: list[str | None] = field(default_factory=list)
    restarts: int = 0
    behind: bool = False

    @property
    def under_way(self) -> int:
        """Callers given that are not in its report yet."""
        return self.given - int(self.report.get("taken", 0))

    @property
    def busy(self) -> int:
        """Calls and callers that it has."""
        return max(int(self.report.get("calls", 0)), int(self.report.get("sockets", 0))) + self.under_way

    @property
    def full(self) -> bool:
        return int(self.report.get("room", 1)) - self.under_way <= 0

    @property
    def draining(self) -> bool:
        return bool(self.report.get("draining"))


class Hub:
    """`on_ready(slot)` and `on_failed(slot, reason, code)` tell what became of a start. Event loop only."""

    def __init__(
        self, count: int, on_ready: Callable[[int], None], on_failed: Callable[[int, str, int], None]
    ) -> None:
        self.posts = [Post(slot) for slot in range(count)]
        self._on_ready = on_ready
        self._on_failed = on_failed
        self._turns = itertools.count(1)
        self._now = asyncio.get_running_loop().time

    # Workers come and go.

    def connect(self, slot: int, end: socket.socket) -> None:
        """A new process is at this post."""
        old = self.posts[slot]
        post = self.posts[slot] = Post(slot, restarts=old.restarts, heard=self._now())
        post.line = Line(
            end, lambda message, sock: self._receive(post, message, sock), lambda: self._lost(post)
        )

    def disconnect(self, slot: int) -> None:
        """The process at this post has ended."""
        post = self.posts[slot]
        if post.line is not None:
            post.line.close()
        self._lost(post)

    @property
    def any_ready(self) -> bool:
        return any(post.ready for post in self.posts)

    def tell_all(self, kind: str) -> None:
        """A message without more to it, to all that are there."""
        for post in self.posts:
            if post.line is not None:
                post.line.send({"kind": kind})

    def tell(self, slot: int, kind: str) -> None:
        line = self.posts[slot].line
        if line is not None:
            line.send({"kind": kind})

    def silent_s(self, slot: int) -> float:
        """How long a worker that is ready has said nothing."""
        post = self.posts[slot]
        return self._now() - post.heard if post.ready else 0.0

    # Callers.

    def give(self, connection: socket.socket) -> bool:
        """Give a connection to the worker that should have it: one that can take a call, with the fewest;
        where none can, any that is ready, for it knows how to refuse. False, and closed, where none is."""
        post = self._choose()
        if post is None or post.line is None:
            connection.close()
            return False
        post.last_given = next(self._turns)
        sent = post.line.send({"kind": "caller"}, connection)
        post.given += sent
        return sent

    def _choose(self) -> Post | None:
        ready = [post for post in self.posts if post.ready]
        if not ready:
            return None
        stale = self._now() - STALE_S

        def order(post: Post) -> tuple[Any, ...]:
            return post.heard < stale, post.draining, post.full, post.busy, post.last_given

        return min(ready, key=order)

    # Messages.

    def _receive(self, post: Post, message: Message, connection: socket.socket | None) -> None:
        post.heard = self._now()
        match message["kind"]:
            case "report":
                post.report = message
                self._mend(post)
            case "pass":
                self._pass(post, message, connection)
                connection = None
            case "watch":
                post.topics = message["topics"]
                self._tell_watched(post)
            case "ready":
                post.ready = True
                self._tell_roster()
                for other in self.posts:
                    if other is not post and other.topics and post.line is not None:
                        post.line.send({"kind": "watched", "by": other.slot, "topics": other.topics})
                self._on_ready(post.slot)
            case "failed":
                self._on_failed(post.slot, message["reason"], message["code"])
        if connection is not None:
            connection.close()

    def _pass(self, post: Post, message: Message, connection: socket.socket | None) -> None:
        """On to other workers. One that cannot take it now has missed it, and is told so when it can."""
        passed = {**message, "kind": "passed", "from": post.slot}
        del passed["to"]
        for slot in message["to"]:
            other = self.posts[slot] if 0 <= slot < len(self.posts) else None
            given, connection = connection, None
            if other is None or other.line is None:
                if given is not None:
                    given.close()
            elif not other.line.send(passed, given):
                other.behind = True
        if connection is not None:
            connection.close()

    def _mend(self, post: Post) -> None:
        """Tell a worker that was too slow that it missed something of all others."""
        if post.behind and post.line is not None and not post.line.waiting:
            post.behind = False
            for other in self.posts:
                gap = {
                    "kind": "passed",
                    "from": other.slot,
                    "way": "tell",
                    "name": "gap",
                    "value": other.slot,
                }
                if other is not post:
                    post.line.send(gap)

    def _tell_watched(self, post: Post) -> None:
        for other in self.posts:
            if other is not post and other.line is not None:
                other.line.send({"kind": "watched", "by": post.slot, "topics": post.topics})

    def _tell_roster(self) -> None:
        up = [post.slot for post in self.posts if post.ready]
        restarts = {str(post.slot): post.restarts for post in self.posts}
        for post in self.posts:
            if post.line is not None:
                post.line.send({"kind": "roster", "up": up, "restarts": restarts})

    def _lost(self, post: Post) -> None:
        """The other end of a post's line is gone."""
        was_there, post.line, post.ready, post.topics = post.line is not None, None, False, []
        if was_there:
            self._tell_roster()
