"""Who may call by WebRTC: pages of known origins, a few calls per address, a call token where one is wanted.

The same rules as those of the browser's call socket (web/media_doors.py), for offers that come by HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping
from typing import Any

from starlette.exceptions import HTTPException

from offhook.channels.base import Arrival
from offhook.channels.webrtc_sessions import MOST_SDP, Answered, Newcomer, RtcSessions
from offhook.foundation.errors import LimitError, NotFoundError, RefusedError
from offhook.foundation.events import Direction
from offhook.web.call_tokens import CallTokens
from offhook.web.origin import Origins
from offhook.web.ports import Bucket, Directory, Places

Servers = Callable[[], list[dict[str, Any]]]


class RtcDoor:
    """`sessions` is None where WebRTC is not offered; `servers` gives a client's ICE servers."""

    def __init__(
        self,
        sessions: RtcSessions | None,
        servers: Servers,
        directory: Directory,
        agents: Container[str],
        origins: Origins,
        tokens: CallTokens,
        tokens_wanted: bool,
        occupancy: Places,
        throttle: Bucket,
        default_agent: str = "",
    ) -> None:
        self._sessions = sessions
        self._servers = servers
        self._directory = directory
        self._agents = agents
        self._origins = origins
        self._tokens = tokens
        self._tokens_wanted = tokens_wanted
        self._occupancy = occupancy
        self._throttle = throttle
        self._default_agent = default_agent
        self.refused: Counter[int] = Counter()

    @property
    def offered(self) -> bool:
        return self._sessions is not None

    def servers(self) -> list[dict[str, Any]]:
        """A client's ICE servers, with what opens them now."""
        return self._servers() if self.offered else []

    def page(self, headers: Mapping[str, str]) -> str:
        """The origin to let in, empty for programs. Raises RefusedError for a page that may not call."""
        origin = headers.get("origin")
        if not self._origins.allows(origin, headers.get("host", "")):
            self.refused[403] += 1
            raise RefusedError("calls are not taken from this page; add it to allowed_origins")
        return origin or ""

    async def begin(self, sdp: str, agent: str, token: str, peer: str) -> Answered:
        """Answer a new caller. Raises OffhookError, HTTPException."""
        sessions = self._open(sdp, peer)
        if self._directory.draining:
            raise self._full("this server is stopping and takes no new calls")
        if self._directory.capacity() - sessions.waiting <= 0:
            raise self._full("no capacity for another call now")
        agent = self._agent(agent, token)
        if not self._occupancy.enter(peer):
            self.refused[429] += 1
            raise HTTPException(429, "too many calls are open from this address")

        def admit() -> Arrival:
            named = self._tokens.redeem(token) if token else agent
            return Arrival(direction=Direction.INBOUND, agent=named or self._default_agent, address=peer)

        return await sessions.begin(sdp, Newcomer(agent, admit, lambda: self._occupancy.leave(peer)))

    async def renew(self, session: str, sdp: str, peer: str) -> Answered:
        """Answer another offer on a session. Raises as `begin`."""
        return await self._open(sdp, peer).renew(session, sdp)

    async def trickle(self, session: str, fragment: str, tag: str, peer: str) -> tuple[str, str]:
        """Raises OffhookError, HTTPException."""
        return await self._open(fragment, peer, restart="ice-ufrag" in fragment).trickle(
            session, fragment, tag
        )

    async def leave(self, session: str) -> None:
        """Raises NotFoundError, LimitError."""
        if self._sessions is None:
            raise NotFoundError("calls by WebRTC are not offered here")
        await self._sessions.leave(session)

    def _open(self, body: str, peer: str, restart: bool = True) -> RtcSessions:
        if self._sessions is None:
            raise NotFoundError("calls by WebRTC are not offered here")
        if len(body) > MOST_SDP:
            self.refused[413] += 1
            raise HTTPException(413, f"a session description has at most {MOST_SDP} bytes")
        if restart and not self._throttle.allow(peer):
            self.refused[429] += 1
            raise HTTPException(429, "too many calls are begun from this address; wait a little")
        return self._sessions

    def _full(self, why: str) -> LimitError:
        self.refused[503] += 1
        return LimitError(why)

    def _agent(self, agent: str, token: str) -> str:
        """Who is called, where that can be told before the call begins: the token counts once it does."""
        if token:
            agent = self._tokens.peek(token)
        elif self._tokens_wanted:
            self.refused[403] += 1
            raise RefusedError("a call begins with a call token here")
        agent = agent or self._default_agent
        if agent not in self._agents:
            raise NotFoundError("there is no agent of that name")
        return agent
