"""ICE for one WebRTC caller: sockets on the addresses and ports that are set, checks, consent. No media.

aioice does the work. Ours: where the sockets are bound, that sound passes without a queue or a task, and that
no server is asked for anything unless one is set.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from aioice import Candidate, Connection, TransportPolicy
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import (
    CandidatePair,
    StunProtocol,
    get_host_addresses,
    relayed_candidate,
    server_reflexive_candidate,
)
from aioice.stun import Message, TransactionError

from offhook.foundation.errors import LimitError, WireError

CONSENT_S = 2.5
SERVER_S = 3.0
"""How long a STUN or TURN server may take before we go on without it."""
TRIES = 64


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server of the settings."""

    host: str
    port: int
    transport: str = "udp"
    tls: bool = False
    login: Callable[[], tuple[str, str]] = lambda: ("", "")
    """Name and password, as they are now."""


@dataclass(frozen=True, slots=True)
class IcePlan:
    """Where callers find us: our `addresses` (all of this machine, where none are set; with `loopback` also
    that one), the UDP `ports` from first to last (any, where none are set), the address that is `announced`
    in place of ours behind a NAT that keeps ports, and the servers."""

    addresses: tuple[str, ...] = ()
    loopback: bool = True
    ports: tuple[int, int] | None = None
    announced: str = ""
    stun: IceServer | None = None
    turn: IceServer | None = None
    relay_only: bool = False

    def found(self) -> list[str]:
        """The addresses to bind to now."""
        if self.addresses:
            return list(self.addresses)
        here = get_host_addresses(use_ipv4=True, use_ipv6=True)
        return [*(["127.0.0.1"] if self.loopback else []), *here]


class _Socket(StunProtocol):
    """One UDP socket: sound goes its own way at once, all else is aioice's."""

    receiver: IceConnection

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        if data and isinstance(data, bytes) and 127 < data[0] < 192:
            self.receiver.media(data)
        else:
            super().datagram_received(data, addr)


class IceConnection(Connection):
    """`media` is given SRTP and SRTCP, `others` DTLS; `alive` is told when the peer proved to be there."""

    def __init__(
        self,
        plan: IcePlan,
        controlling: bool,
        media: Callable[[bytes], None],
        others: Callable[[bytes], None],
        alive: Callable[[], None],
    ) -> None:
        super().__init__(
            ice_controlling=controlling,
            local_username=secrets.token_hex(4),
            local_password=secrets.token_hex(16),
            transport_policy=TransportPolicy.RELAY if plan.relay_only else TransportPolicy.ALL,
            **_servers(plan),
        )
        self.plan = plan
        self.media = media
        self._others = others
        self._alive = alive

    # What aioice asks of a connection.

    def data_received(self, data: bytes, component: int) -> None:
        self._others(data)

    def check_incoming(self, message: Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        self._alive()
        super().check_incoming(message, addr, protocol)

    async def query_consent(self) -> None:
        """Ask again and again whether the peer still wants to hear from us (RFC 7675). Who gives up is told
        by `alive`, or by its absence: this does not close anything."""
        while True:
            await asyncio.sleep(CONSENT_S * random.uniform(0.8, 1.2))
            for pair in tuple(self._nominated.values()):
                try:
                    await self._ask(pair)
                except TransactionError:
                    continue
                self._alive()

    async def _ask(self, pair: CandidatePair) -> None:
        assert self.remote_password is not None
        request = self.build_request(pair, nominate=False)
        key = self.remote_password.encode()
        await pair.protocol.request(request, pair.remote_addr, integrity_key=key, retransmissions=0)

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: int = 5
    ) -> list[Candidate]:
        """Sockets on the plan's addresses, and what the plan's servers tell of them."""
        sockets = [] if self.plan.relay_only else [await self._open(address) for address in self.plan.found()]
        opened = [each for each in sockets if each is not None]
        self._protocols += opened
        return [*(each.local_candidate for each in opened), *await self._from_servers(component, opened)]

    async def _open(self, address: str) -> _Socket | None:
        """A socket on this address; None where it cannot be bound (an address that went, no port free)."""
        loop = asyncio.get_running_loop()
        for port in _ports(self.plan.ports):
            try:
                transport, protocol = await loop.create_datagram_endpoint(
                    lambda: _Socket(self), local_addr=(address, port)
                )
            except OSError:
                continue
            host, bound = transport.get_extra_info("sockname")[:2]
            protocol.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", host),
                component=1,
                transport="udp",
                priority=candidate_priority(1, "host", 65_535 - len(self._protocols)),
                host=host,
                port=bound,
                type="host",
            )
            return protocol
        return None

    async def _from_servers(self, component: int, sockets: Sequence[_Socket]) -> list[Candidate]:
        tasks: list[asyncio.Task[tuple[Candidate, StunProtocol | None]]] = []
        for each in sockets:
            if self.stun_server and ":" not in each.local_candidate.host:
                tasks.append(asyncio.create_task(server_reflexive_candidate(each, self.stun_server)))
        if self.turn_server:
            tasks.append(asyncio.create_task(self._relay(component)))
        if not tasks:
            return []
        done, late = await asyncio.wait(tasks, timeout=SERVER_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        found: list[Candidate] = []
        for task in done:
            if task.exception() is None:
                candidate, relay = task.result()
                found.append(candidate)
                if relay is not None:
                    self._protocols.append(relay)
        return found

    async def _relay(self, component: int) -> tuple[Candidate, StunProtocol | None]:
        assert self.turn_server is not None
        return await relayed_candidate(
            component=component,
            hide_related_address=self.plan.relay_only,
            protocol_factory=lambda: _Socket(self),
            turn_server=self.turn_server,
            turn_username=self.turn_username,
            turn_password=self.turn_password,
            turn_ssl=self.turn_ssl,
            turn_transport=self.turn_transport,
        )

    # For the peer.

    async def gather(self) -> list[str]:
        """Our candidates as they stand in SDP. Raises LimitError where no socket could be opened."""
        await self.gather_candidates()
        if not self.local_candidates:
            raise LimitError("no UDP port for another call, or no server to relay it")
        return [_as_sdp(each, self.plan.announced) for each in self.local_candidates]

    async def take(self, candidates: Sequence[str]) -> None:
        """Candidates of the peer. Those that are none for us (TCP, mDNS names) are left out: the peer's own
        checks tell where it is."""
        for candidate in map(_read, candidates):
            if candidate is not None and _is_ours(candidate):
                await self.add_remote_candidate(candidate)

    def send_now(self, data: bytes) -> None:
        """Send by the way that was agreed, if any."""
        pair = self._nominated.get(1)
        if pair is not None and not pair.protocol.transport.is_closing():
            pair.protocol.transport.sendto(data, pair.remote_addr)

    @property
    def has_way(self) -> bool:
        return bool(self._nominated)


def _ports(ports: tuple[int, int] | None) -> list[int]:
    """Ports to try, in a random order where there is a choice: several processes share it."""
    if ports is None:
        return [0]
    first, last = ports
    count = last - first + 1
    return random.sample(range(first, last + 1), min(count, TRIES))


def _servers(plan: IcePlan) -> dict[str, Any]:
    servers: dict[str, Any] = {}
    if plan.stun is not None:
        servers["stun_server"] = (plan.stun.host, plan.stun.port)
    if plan.turn is not None:
        turn = plan.turn
        servers |= {
            "turn_server": (turn.host, turn.port),
            "turn_ssl": turn.tls,
            "turn_transport": turn.transport,
        }
        servers["turn_username"], servers["turn_password"] = turn.login()
    return servers


def _as_sdp(candidate: Candidate, announced: str) -> str:
    if announced and candidate.type == "host" and (":" in announced) == (":" in candidate.host):
        candidate = copy(candidate)
        candidate.host = announced
    return str(candidate.to_sdp())


def _read(text: str) -> Candidate | None:
    try:
        candidate = Candidate.from_sdp(text)
    except (ValueError, IndexError, AssertionError):
        return None
    return candidate if 0 < candidate.port < 65_536 and candidate.component == 1 else None


def _is_ours(candidate: Candidate) -> bool:
    return bool(candidate.transport.lower() == "udp" and not candidate.host.endswith(".local"))


def check_candidate(text: str) -> str:
    """A candidate that a client trickles. Raises WireError for what is none."""
    if len(text) > 512 or _read(text) is None:
        raise WireError("a candidate cannot be read")
    return text
