"""Who may open a media socket: the phone vendor's and the browser's door. Hears no sound, starts no call.

Refusals come before the upgrade, as HTTP answers; what only the first message can tell (its
token) is judged by the `admit` that each door gives to its listener.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from picows import WSListener, WSUpgradeRequest, WSUpgradeResponseWithListener

from offhook.channels.base import Arrival
from offhook.foundation.errors import RefusedError
from offhook.foundation.events import Direction
from offhook.protocols.browser import Start
from offhook.protocols.signatures import SETTINGS_HEADER, SIGNATURE_HEADER, TwilioSignatures
from offhook.protocols.twilio import Started
from offhook.web.call_tokens import CallTokens
from offhook.web.origin import Origins, is_local
from offhook.web.ports import Bucket, Directory, Ledger, Places
from offhook.web.sockets import refusal
from offhook.web.vendor_hooks import media_url

Answer = WSListener | WSUpgradeResponseWithListener
AdmitPhone = Callable[[Started], Arrival]
AdmitBrowser = Callable[[Start], Arrival]
_RESERVED = frozenset({"token", "agent", "from", "to"})


class Refusals:
    """Refuses and counts, by status."""

    def __init__(self) -> None:
        self.refused: Counter[int] = Counter()

    def refuse(self, status: int, message: str, code: str = "") -> WSUpgradeResponseWithListener:
        self.refused[status] += 1
        return refusal(status, message, code)

    def crowded(self, directory: Directory) -> WSUpgradeResponseWithListener | None:
        if directory.draining:
            return self.refuse(503, "this server is stopping and takes no new calls")
        if directory.capacity() == 0:
            return self.refuse(503, "no capacity for another call now")
        return None


class TwilioDoor(Refusals):
    """`/media/twilio`. With a secret: a signed upgrade, and the single-use token of the voice webhook.
    Without one: programs on this machine only.

    `listen` makes the listener of one socket from the `admit` that will judge its start message.
    """

    def __init__(
        self,
        directory: Directory,
        listen: Callable[[AdmitPhone], WSListener],
        ledger: Ledger,
        signatures: TwilioSignatures | None,
        public_url: str,
    ) -> None:
        super().__init__()
        self._directory = directory
        self._listen = listen
        self._ledger = ledger
        self._signatures = signatures
        self._url = media_url(public_url) if public_url else ""

    def open(self, request: WSUpgradeRequest, peer: str) -> Answer:
        if not self._is_genuine(request, peer):
            return self.refuse(403, "the upgrade's signature is missing or wrong")
        return self.crowded(self._directory) or self._listen(lambda started: self._admit(started, peer))

    def closed(self, peer: str, listener: WSListener | None = None) -> None:
        """Nothing is held per peer: all calls come from the vendor's few addresses."""

    def _is_genuine(self, request: WSUpgradeRequest, peer: str) -> bool:
        if self._signatures is None:
            return is_local(peer, request.headers)
        signature = request.headers.get(SIGNATURE_HEADER, "")
        algorithm = request.headers.get(SETTINGS_HEADER, "")
        return bool(self._url) and self._signatures.verify_upgrade(self._url, signature, algorithm)

    def _admit(self, started: Started, peer: str) -> Arrival:
        given = started.parameters
        variables = {name: value for name, value in given.items() if name not in _RESERVED}
        if "token" in given:
            announced = self._ledger.redeem(given["token"], started.call_sid)
            return replace(announced, address=peer, variables={**announced.variables, **variables})
        if self._signatures is not None:
            raise RefusedError("a call begins with the token of its voice webhook")
        return Arrival(
            direction=Direction.INBOUND,
            agent=given.get("agent", ""),
            caller=given.get("from", ""),
            called=given.get("to", ""),
            vendor_id=started.call_sid,
            address=peer,
            variables=variables,
        )


class BrowserDoor(Refusals):
    """`/media/browser`. Pages of known origins, a few calls per address, a call token where one is wanted.

    `?resume=1` is a hint that the caller comes back to a live call: such a socket is let in while
    the server is full or stopping, when there is a call to come back to; `live` counts those.
    """

    def __init__(
        self,
        directory: Directory,
        listen: Callable[[AdmitBrowser], WSListener],
        origins: Origins,
        tokens: CallTokens,
        tokens_wanted: bool,
        occupancy: Places,
        throttle: Bucket,
        default_agent: str = "",
        live: Callable[[], int] | None = None,
    ) -> None:
        super().__init__()
        self._directory = directory
        self._listen = listen
        self._origins = origins
        self._tokens = tokens
        self._tokens_wanted = tokens_wanted
        self._occupancy = occupancy
        self._throttle = throttle
        self._default_agent = default_agent
        self._live = live or directory.count

    def open(self, request: WSUpgradeRequest, peer: str) -> Answer:
        if not self._origins.allows(request.headers.get("origin"), request.headers.get("host", "")):
            return self.refuse(403, "calls are not taken from this page; add it to allowed_origins")
        returning = request.path.partition(b"?")[2] == b"resume=1" and self._live() > 0
        if not returning and (answer := self.crowded(self._directory)) is not None:
            return answer
        if not self._throttle.allow(peer):
            return self.refuse(429, "too many calls are begun from this address; wait a little")
        if not self._occupancy.enter(peer):
            return self.refuse(429, "too many calls are open from this address")
        return self._listen(lambda start: self._admit(start, peer))

    def welcome(self, peer: str) -> WSListener:
        """Who listens to a socket that another process of this house let in and passes on."""
        self._occupancy.enter(peer, limited=False)
        return self._listen(lambda start: self._admit(start, peer))

    def closed(self, peer: str, listener: WSListener | None = None) -> None:
        self._occupancy.leave(peer)

    def _admit(self, start: Start, peer: str) -> Arrival:
        agent = start.agent
        if start.token:
            agent = self._tokens.redeem(start.token)
        elif self._tokens_wanted:
            raise RefusedError("a call begins with a call token here")
        return Arrival(direction=Direction.INBOUND, agent=agent or self._default_agent, address=peer)
