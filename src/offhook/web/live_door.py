"""Who may open `/ws/live` and `/ws/floor`: people by session, key or token; S5's callers. Seats nobody."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from picows import WSListener, WSUpgradeRequest

from offhook.channels.live_guest import Visit
from offhook.desk.roles import Action, may
from offhook.desk.sessions import Visitor
from offhook.foundation.errors import LimitError, OffhookError, RefusedError, WireError
from offhook.foundation.people import Person
from offhook.protocols.live import Ask, LiveRole, read_ask
from offhook.web.call_tokens import CallTokens
from offhook.web.media_doors import Answer, Refusals
from offhook.web.origin import Origins
from offhook.web.ports import Bucket, Directory, Places
from offhook.web.visitors import Refusal, Visitors

if TYPE_CHECKING:
    from offhook.web.desk_tokens import DeskTokens

LIVE_PATH = "/ws/live"
FLOOR_PATH = "/ws/floor"
MOST_OPEN = 1_000
Hand = Callable[[dict[str, str], socket.socket], bool]
"""Passes a connection on to the process that has its call; False when it cannot leave now. Owns the socket.
"""
ListenLive = Callable[[Visit], WSListener]
ListenFloor = Callable[[Person, str], WSListener]


class LiveDoor(Refusals):
    """`/ws/live`. A caller needs what a browser's call needs; an operator is a person, by cookie, key, desk
    token, or by sitting at this machine. `far` says how a connection gets to the process that has its call,
    None where that is this one; `places` are those of an address, of which each caller takes one."""

    def __init__(
        self,
        directory: Directory,
        listen: ListenLive,
        visitors: Visitors,
        desk_tokens: DeskTokens | None,
        call_tokens: CallTokens,
        tokens_wanted: bool,
        origins: Origins,
        throttle: Bucket,
        far: Callable[[str], Hand | None] = lambda call_id: None,
        places: Places | None = None,
    ) -> None:
        super().__init__()
        self.far = far
        self._places = places
        self._callers: set[WSListener] = set()
        self._directory = directory
        self._listen = listen
        self._visitors = visitors
        self._desk_tokens = desk_tokens
        self._call_tokens = call_tokens
        self._tokens_wanted = tokens_wanted
        self._origins = origins
        self._throttle = throttle
        self._open = 0

    def open(self, request: WSUpgradeRequest, peer: str) -> Answer:
        if not self._origins.allows(request.headers.get("origin"), request.headers.get("host", "")):
            return self.refuse(403, "calls are not opened from this page; add it to allowed_origins")
        if self._open >= MOST_OPEN:
            return self.refuse(503, "too many live sockets are open")
        try:
            ask = read_ask(query_of(request))
            is_caller = ask.role is LiveRole.CALLER
            if is_caller and (busy := self.crowded(self._directory)) is not None:
                return busy
            visit = self._caller(ask, peer) if is_caller else self._person(ask, request, peer)
        except WireError as error:
            return self.refuse(400, error.reason)
        except LimitError as error:
            return self.refuse(503, error.reason)
        except RefusedError as error:
            return self.refuse(401 if ask.token else 403, error.reason)
        if isinstance(visit, Refusal):
            return self.refuse(visit.status, visit.reason, visit.code)
        self._open += 1
        listener = self._listen(visit)
        if is_caller:
            self._callers.add(listener)
        return listener

    def closed(self, peer: str, listener: WSListener | None = None) -> None:
        self._open -= 1
        if listener in self._callers:
            self._callers.discard(listener)
            if self._places is not None:
                self._places.leave(peer)

    def _caller(self, ask: Ask, peer: str) -> Visit | Refusal:
        if not self._throttle.allow(peer):
            return Refusal(429, "too many calls are begun from this address; wait a little")
        if self._places is not None and not self._places.enter(peer):
            return Refusal(429, "too many calls are open from this address")
        try:
            return Visit(ask, peer, agent=self._agent(ask))
        except OffhookError:
            if self._places is not None:
                self._places.leave(peer)
            raise

    def _agent(self, ask: Ask) -> str:
        """Whom a caller gets: the token's agent, where it names one. Raises RefusedError, LimitError."""
        agent = ""
        desk = self._desk_tokens if not self._tokens_wanted else None
        if ask.token and desk is not None and desk.is_one(ask.token):
            desk.redeem(ask.token, ask.role, ask.call)
        elif ask.token:
            agent = self._call_tokens.redeem(ask.token)
        elif self._tokens_wanted or self._visitors.has_users:
            raise RefusedError("a call begins with a token here")
        return agent

    def _person(self, ask: Ask, request: WSUpgradeRequest, peer: str) -> Visit | Refusal:
        found: Visitor | Refusal
        if ask.token and self._desk_tokens is not None:
            found = self._desk_tokens.redeem(ask.token, ask.role, ask.call).visitor
        else:
            # Pages that may place calls (allowed_origins) are not our own: they need a token.
            found = self._visitors.of_socket(headers_of(request), peer)
        if isinstance(found, Refusal):
            return found
        if not may(found.person.role, Action.SEE_CALL):
            return Refusal(403, "your role may not do this")
        return Visit(ask, peer, found.person, session=found.session)


class FloorDoor(Refusals):
    """`/ws/floor`: people who may see calls, at a page of this house (no other) or in a program."""

    def __init__(self, listen: ListenFloor, visitors: Visitors) -> None:
        super().__init__()
        self._listen = listen
        self._visitors = visitors
        self._open = 0

    def open(self, request: WSUpgradeRequest, peer: str) -> Answer:
        found = self._visitors.of_socket(headers_of(request), peer)
        if isinstance(found, Refusal):
            return self.refuse(found.status, found.reason, found.code)
        if not may(found.person.role, Action.SEE_CALL):
            return self.refuse(403, "your role may not do this")
        if self._open >= MOST_OPEN:
            return self.refuse(503, "too many live sockets are open")
        self._open += 1
        return self._listen(found.person, found.session)

    def closed(self, peer: str, listener: WSListener | None = None) -> None:
        self._open -= 1


def headers_of(request: WSUpgradeRequest) -> dict[str, str]:
    """Of the upgrade, by names in lower case."""
    return {name.lower(): value for name, value in request.headers.items()}


def query_of(request: WSUpgradeRequest) -> dict[str, str]:
    """The last value of each name in the query."""
    text = request.path.partition(b"?")[2].decode("ascii", "replace")
    try:
        pairs = parse_qs(text, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise WireError("the query has too many fields") from None
    return {name: values[-1] for name, values in pairs.items()}
