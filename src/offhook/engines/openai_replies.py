"""Which reply a Realtime server is making, which it was asked for, which nobody wants any more. No sockets.

A server makes one reply at a time and refuses to begin another meanwhile; it begins some by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from offhook.protocols import openai_realtime as wire

REPLY_S = 8.0
"""So long a server may be silent while it owes a reply, or in the middle of one."""
MAX_FAILED = 3
"""Replies that may fail in a row before the session is given up."""
_RETRY_S = (0.25, 1.0)
_MAX_WAIT_S = 2.0
_MAX_ASKS = 8
_MAX_OVER = 64
_TAKEN = "conversation_already_has_active_response"


@dataclass(frozen=True, slots=True)
class Ask:
    """A reply that the server shall make. `system`: a line that it is told before; `alone`: without the
    conversation so far."""

    instructions: str = ""
    system: str = ""
    alone: bool = False
    tools: bool = True


CONTINUE = Ask(
    "The line broke while you were speaking. Go on with your last sentence where it broke off; "
    "do not repeat what you have said and do not mention the break.",
    tools=False,
)


class Replies:
    """One session's replies. `post` sends an event, `now` gives seconds; `due` is when the server is late."""

    def __init__(self, post: Callable[[bytes], None], now: Callable[[], float]) -> None:
        self._post = post
        self._now = now
        self._active: str | None = None
        self._asked: Ask | None = None
        self._unwanted = False
        self._ask_id = 0
        self._asks: deque[Ask] = deque(maxlen=_MAX_ASKS)
        self._over: deque[str] = deque(maxlen=_MAX_OVER)
        self._failed = 0
        self.due: float | None = None

    @property
    def is_idle(self) -> bool:
        return self._active is None and not self._asks and self.due is None

    def is_over(self, response: str) -> bool:
        """Whether this reply was interrupted: what still comes of it is not wanted."""
        return bool(response) and response in self._over

    def unfinished(self, speaking: bool) -> list[Ask]:
        """What was asked for and not given; `speaking`: a reply broke off in the middle of an utterance."""
        asks = list(self._asks)
        if self._active and speaking and not self.is_over(self._active):
            return [CONTINUE, *asks]
        return asks if self._asked is None else [self._asked, *asks]

    # What we want.

    def ask(self, ask: Ask) -> None:
        """A reply, now or as soon as the one under way is done."""
        if self._active is not None:
            self._asks.append(ask)
            return
        self._asked, self._active, self._unwanted = ask, "", False
        self._ask_id += 1
        if ask.system:
            self._post(wire.message("system", ask.system))
        self._post(wire.respond(self._event_id, ask.instructions, ask.alone, ask.tools))
        self.expect()

    def give_up(self) -> None:
        """Whatever is being said, or was to be said, is not wanted any more."""
        self._asks.clear()
        if self._active is None or self.is_over(self._active):
            return
        self._post(wire.cancel())
        self._asked = None
        if self._active:
            self._over.append(self._active)
        else:
            self._unwanted = True

    def expect(self) -> None:
        """The server owes a reply, or more of one."""
        self.due = self._now() + REPLY_S

    # What the server does.

    def created(self, response: str) -> None:
        self._active = response
        if self._unwanted:
            self._over.append(response)
            self._unwanted = False
        self.expect()

    def heard_of(self) -> None:
        """Something came; in the middle of a reply that is a sign of life."""
        if self._active:
            self.expect()

    def sounded(self) -> None:
        """The reply under way is being spoken."""
        self._asked = None
        self._failed = 0

    def interrupted(self) -> None:
        """The caller speaks: the server itself cancels what it was saying."""
        self.due = None
        self._asks.clear()
        if self._active:
            self._over.append(self._active)
            self._asked = None

    def done(self) -> Ask:
        """The reply under way is over; returns what it was asked by."""
        asked, self._asked = self._asked, None
        self._active = self.due = None
        return asked or Ask()

    def go_on(self) -> None:
        """Ask for the next one that is waiting."""
        if self._asks and self._active is None:
            self.ask(self._asks.popleft())

    def failed(self, ask: Ask, wait_s: float) -> float:
        """The reply failed: seconds after which to call `again`, 0.0 when it failed too often."""
        self._failed += 1
        if self._failed >= MAX_FAILED:
            return 0.0
        self._asked, self._active = replace(ask, system=""), ""
        self.expect()
        return min(wait_s or _RETRY_S[self._failed - 1], _MAX_WAIT_S)

    def again(self) -> None:
        """Repeat the ask that failed, unless the caller spoke meanwhile."""
        if self._active == "" and self._asked is not None:
            ask, self._active = self._asked, None
            self.ask(ask)

    def refused(self, code: str, event_id: str) -> bool:
        """An error event came; whether it needs no mention: the server was already making another reply."""
        ours = self._active == "" and event_id in ("", self._event_id)
        if code == _TAKEN and self._asked is not None:
            self._asks.appendleft(self._asked)
            self._asked = None
            return True
        if ours and event_id:
            self.done()
            self.go_on()
        return False

    @property
    def _event_id(self) -> str:
        return f"ask_{self._ask_id}"
