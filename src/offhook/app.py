"""Builds the house from settings and runs it: the one file that names concrete classes."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from offhook.audio.frame import PHONE, WIDEBAND
from offhook.call.clockwork import MediaClock
from offhook.call.directory import Directory, House
from offhook.call.watchdog import Watchdog
from offhook.channels.bounds import SocketBounds
from offhook.channels.browser import BrowserSocket
from offhook.channels.browser_channel import BrowserChannel
from offhook.channels.phone import PhoneSocket
from offhook.channels.realtime import MESSAGE_BYTES as REALTIME_BYTES
from offhook.channels.realtime import RealtimeSocket
from offhook.channels.resume import ResumeDesk
from offhook.channels.watch import Watch
from offhook.desk.aid import Aids
from offhook.desk.coach.coach_desk import CoachDesk
from offhook.desk.entities.find import warm
from offhook.desk.evidence.desk import EvidenceDesk
from offhook.desk.floor import Floor
from offhook.desk.people import People, open_people
from offhook.desk.studio import Studio
from offhook.engines.duplex import DuplexFactory
from offhook.engines.trial import try_agent
from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import ProviderError, SettingsError
from offhook.local_call import begin_local_call
from offhook.providers import Board, make_ears, make_engines
from offhook.providers.center import Center, make_center
from offhook.providers.coach import make_coach
from offhook.providers.desk import count_desk, make_desk
from offhook.providers.house import followers, make_house
from offhook.providers.livekit import make_livekit
from offhook.providers.moods import Moods, make_moods
from offhook.providers.studio import make_studio
from offhook.providers.warm import make_warm
from offhook.providers.webrtc import with_webrtc
from offhook.settings import Settings
from offhook.speech.base import Stt
from offhook.storage.recordings import Tapes
from offhook.storage.sql import SqlStore
from offhook.telemetry import MeasuringLedger, Troubles, gauges, refused_at
from offhook.web.listener import address, listen
from offhook.web.metrics import Metrics
from offhook.web.openai_models import Catalogue
from offhook.web.proxies import Proxies
from offhook.web.rehearsal import rehearse
from offhook.web.server import DrainingServer, ServerLimits
from offhook.web.site import Parts, Site, build_site
from offhook.workers.share import Share

if TYPE_CHECKING:
    from offhook.channels.livekit import LiveKit
    from offhook.channels.webrtc import WebRtcDesk

FILE_LIMIT = 65_536
GC_THRESHOLDS = (5_000, 5, 4)
MALLOC_ARENAS = 2
_M_ARENA_MAX = -8
_log = structlog.get_logger(__name__)


def serve(settings: Settings, on_ready: Callable[[str], None] = lambda url: None) -> int:
    """Run Offhook until it is told to stop; returns the exit code. Raises OffhookError if it cannot start."""
    raise_file_limit()
    listener = listen(settings.host, settings.port)
    if sys.platform == "win32":
        return asyncio.run(_serve(settings, listener, on_ready))
    import uvloop

    return uvloop.run(_serve(settings, listener, on_ready))


async def _serve(settings: Settings, listener: socket.socket, on_ready: Callable[[str], None]) -> int:
    shown = address(settings.host, listener.getsockname()[1])
    app = await build(settings)

    def ready() -> None:
        on_ready(shown)
        if not settings.use_websocket_audio:
            begin_local_call(app.directory)

    limits = server_limits(settings)
    server = DrainingServer(app.site.asgi, app.site.doors, app.directory, app.clock, limits, ready)
    await keep(app, server, listener)
    return 0


def server_limits(settings: Settings) -> ServerLimits:
    return ServerLimits(
        settings.limits.drain_seconds,
        message_bytes=settings.limits.message_bytes,
        proxies=Proxies(settings.trusted_proxies),
    )


async def keep(app: App, server: DrainingServer, *listeners: socket.socket) -> None:
    """Serve a built house until its server is told to stop, then close it."""
    await rehearse(app.site.app)
    _quiet_collector()
    app.media.start()
    app.watchdog.start()
    app.people.audit.start()
    app.people.sessions.start()
    app.center.start()
    if app.rooms is not None:
        app.rooms.start()
    try:
        await server.run_until_stopped(*listeners)
    finally:
        app.watchdog.stop()
        await app.close()


def _quiet_collector() -> None:
    """What was built at the start stays: a collector that walks it stops every call for 60 to 180 ms.
    What loading left over is given back to the system."""
    gc.collect()
    gc.freeze()
    gc.collect()  # else it waits for a quarter of what was frozen before it looks at finished calls again
    gc.set_threshold(*GC_THRESHOLDS)
    system = ctypes.CDLL(None) if sys.platform == "linux" else None
    if system is not None and hasattr(system, "malloc_trim"):  # glibc: others give back by themselves
        system.mallopt(_M_ARENA_MAX, MALLOC_ARENAS)  # an arena per thread keeps what each once needed
        system.malloc_trim(0)  # loading a model takes several times what it keeps


def raise_file_limit() -> None:
    """A call holds a socket and two tape files; the usual soft limit of 1,024 is 300 calls."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = FILE_LIMIT if hard == resource.RLIM_INFINITY else min(hard, FILE_LIMIT)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@dataclass(slots=True)
class App:
    """A built house, ready to serve."""

    clock: SystemClock
    center: Center
    house: House
    media: MediaClock
    directory: Directory
    store: SqlStore
    tapes: Tapes | None
    site: Site
    watchdog: Watchdog
    studio: Studio
    people: People
    ears: Stt | None = None
    """A recognizer that no engine has, and none closes."""
    coach: CoachDesk | None = None
    moods: Moods | None = None
    rooms: LiveKit | None = None
    """LiveKit's, whose agents are of this house."""
    callers: WebRtcDesk | None = None
    """Who calls by WebRTC."""

    async def close(self) -> None:
        """End what is live, keep what was said, release the rest. The order matters: calls, tapes, rows."""
        await self.directory.close(grace_s=0)
        if self.callers is not None:
            await self.callers.close()
        if self.rooms is not None:
            await self.rooms.close()
        await self.media.stop()
        if self.tapes is not None:
            await self.tapes.close()
        await self.center.close()
        await self.people.close()
        await self.store.close()
        await self.studio.close()
        if self.coach is not None:
            await self.coach.close()
        if self.moods is not None:
            await self.moods.close()
        if self.ears is not None:
            await self.ears.close()
        for engine in self.house.engines.values():
            await engine.close()
        await self.house.tools.close()


async def build(settings: Settings, share: Share | None = None) -> App:
    """Load models, open storage, seal what a crash left, prepare the agents' lines. Raises OffhookError.
    `share` is what this process has in common with other workers of its house."""
    share = share or Share()
    clock = SystemClock()
    metrics = Metrics()
    _make_data_folder(settings)
    board = Board()
    engines = await asyncio.to_thread(make_engines, settings, clock, board)
    troubles = Troubles(asyncio.get_running_loop())
    ears, own_ears = await asyncio.to_thread(make_ears, settings, engines, board)
    store, tapes = await asyncio.to_thread(_open_storage, settings, share, metrics, troubles, clock)
    coach, moods = make_coach(settings), make_moods(settings, clock)
    bus = share.bus(metrics)
    house = make_house(
        settings, share, clock, engines, ears, store, tapes, bus, lambda line: follow(line), moods
    )
    media = house.media
    directory = Directory(house)
    floor = Floor(directory, clock, store=store)
    center = make_center(settings, directory, store.engine, clock)
    follow = center.follow(followers(floor, coach, moods))
    directory.on_count = share.count
    troubles.directory = directory
    await _make_ready(house)
    watch = Watch()
    watchdog = Watchdog(clock, lambda: media.beat)
    metrics.gauges = gauges(directory, media, store, troubles, watch, watchdog, board)
    studio = make_studio(settings, engines, board)
    parts = _parts(settings, share, house, directory, store, tapes, metrics, watch, studio)
    people = await asyncio.to_thread(_open_people, settings, store, clock)
    people.sessions.tell = share.people(people.sessions.refresh)
    evidence = EvidenceDesk(store, tapes, people.audit, settings.data, clock, directory.emit)
    aids = Aids(studio, coach.coach_now if coach is not None else None, metrics.coached)
    live = make_desk(directory, floor, people, studio, _bounds(settings), watch, aids)
    follow = make_warm(settings, live.desk, directory, center.queues, studio, people, floor, follow, coach)
    count_desk(metrics, live)
    parts = replace(parts, center=center.parts(people, _bounds(settings), watch, share))
    rooms = make_livekit(settings, house, directory)
    parts = replace(parts, people=people, evidence=evidence, live=share.live(live), livekit=rooms)
    parts, callers = with_webrtc(parts, settings, share, directory, _bounds(settings), watch)
    site = _build_site(settings, parts, directory, metrics)
    return App(
        clock,
        center,
        house,
        media,
        directory,
        store,
        tapes,
        site,
        watchdog,
        studio,
        people,
        ears if own_ears else None,
        coach,
        moods,
        rooms,
        callers,
    )


def _build_site(settings: Settings, parts: Parts, directory: Directory, metrics: Metrics) -> Site:
    """The doors, and what the calls and the metrics want of them."""
    site = build_site(settings, parts)
    directory.on_transfer = site.transfers.ask
    metrics.gauges.refused = lambda: directory.totals.refused + refused_at([*site.doors.values(), site.rtc])
    return site


def _make_data_folder(settings: Settings) -> None:
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"data {str(settings.data)!r} cannot be used: {error.strerror}") from None


def _bounds(settings: Settings) -> SocketBounds:
    limits = settings.limits
    return SocketBounds(
        message_bytes=limits.message_bytes,
        first_message_seconds=limits.first_message_seconds,
        media_silence_seconds=limits.media_silence_seconds,
        resume_seconds=limits.resume_seconds,
    )


def _parts(
    settings: Settings,
    share: Share,
    house: House,
    directory: Directory,
    store: SqlStore,
    tapes: Tapes | None,
    metrics: Metrics,
    watch: Watch,
    studio: Studio,
) -> Parts:
    bounds = _bounds(settings)
    large = replace(bounds, message_bytes=max(bounds.message_bytes, REALTIME_BYTES))
    desk = ResumeDesk[BrowserChannel](share.resume_prefix)

    def troubles() -> Sequence[str]:
        return ["the database refuses writes"] if store.degraded else []

    parts = Parts(
        directory=directory,
        store=store,
        recordings=tapes,
        agents=house.agents,
        clock=house.clock,
        listen_phone=lambda admit: PhoneSocket(directory, admit, bounds, watch),
        listen_browser=lambda admit: BrowserSocket(directory, admit, bounds, watch, desk, share.move),
        metrics=metrics,
        troubles=troubles,
        catalogue=Catalogue(house.agents, house.engines, house.default_agent, house.default_engine),
        studio=studio,
        listen_realtime=lambda offer, session: RealtimeSocket(directory, offer, large, watch, session),
    )
    return share.join(parts)


def _open_storage(
    settings: Settings, share: Share, metrics: Metrics, troubles: Troubles, clock: SystemClock
) -> tuple[SqlStore, Tapes | None]:
    """The store and the tapes; calls that a crash cut off are marked, and their recordings sealed."""
    with share.starting():
        store = SqlStore(settings.database_url)
        tapes, kept = None, settings.data / "recordings"
        if settings.record or kept.is_dir():  # what was recorded before is still to be heard, and deleted
            ledger = MeasuringLedger(store, metrics)
            tapes = Tapes(kept, ledger, troubles.tell, clock, share.is_ours)
        durations = tapes.leftovers() if tapes is not None else None
        found = store.recover(clock.wall(), durations, share.is_ours)
        sealing = tapes.recover() if tapes is not None else []
    if found or sealing:
        _log.warning("calls were cut off by a crash", calls=len(found), recordings=len(sealing))
    return store, tapes


def _open_people(settings: Settings, store: SqlStore, clock: SystemClock) -> People:
    idle = timedelta(minutes=settings.sessions.idle_minutes)
    people = open_people(store.engine, clock, idle, timedelta(hours=settings.sessions.hours))
    people.audit.keep_days = settings.audit.keep_days
    if not people.sessions.has_users:
        _log.info("nobody logs in here yet: `offhook user add NAME --role admin` makes the first user")
    return people


async def _check_agents(house: House) -> None:
    """An agent whose engine cannot be opened (a language it does not know) stops the start, not a call."""
    for name, agent in house.agents.items():
        factory = house.engines[agent.engine or house.default_engine]
        try:
            await try_agent(factory, agent)
        except ProviderError as error:
            raise SettingsError(f"agents.{name}: {error.reason}") from None


async def _make_ready(house: House) -> None:
    """Check the agents, connect their tools, load what the first call would have to wait for."""
    await _check_agents(house)
    await house.tools.open()
    await asyncio.to_thread(warm)
    await _prepare(house)


async def _prepare(house: House) -> None:
    for name, factory in house.engines.items():
        if isinstance(factory, DuplexFactory):
            continue
        try:
            await factory.warm(
                [
                    a
                    for a in house.agents.values()
                    if name in (a.engine or house.default_engine, a.fallback_engine)
                ]
            )
        except ProviderError as error:
            _log.warning("an engine is not ready", engine=name, reason=error.reason)
    for agent in house.agents.values():
        engine = house.engines[agent.engine or house.default_engine]
        if isinstance(engine, DuplexFactory):  # its lines are the vendor's; the fallback needs its own
            fallback = house.engines.get(agent.fallback_engine)
            if fallback is None or isinstance(fallback, DuplexFactory):
                continue
            engine = fallback
        for format in (PHONE, WIDEBAND):
            try:
                await engine.prepare(agent, format)
            except ProviderError as error:
                _log.warning("an agent's lines could not be prepared", agent=agent.name, reason=error.reason)
                break
