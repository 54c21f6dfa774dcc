"""Puts all doors together from settings and parts: the HTTP app and the media doors. Serves nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI
from picows import WSListener
from pydantic import SecretStr
from starlette.types import ASGIApp

from offhook import __version__
from offhook.channels.webrtc_sessions import RtcSessions
from offhook.desk.clips import MAX_FILE as MAX_CLIP
from offhook.desk.evidence.desk import EvidenceDesk
from offhook.desk.people import People
from offhook.desk.studio import Studio
from offhook.foundation.agent import Agent
from offhook.foundation.clock import Clock
from offhook.protocols.signatures import Algorithm, TwilioSignatures
from offhook.settings import Settings
from offhook.speech.breaker import Health
from offhook.storage.base import CallStore
from offhook.web import faults
from offhook.web.call_tokens import CallTokens, load_secret
from offhook.web.calls import call_routes
from offhook.web.center_site import CenterParts, center_doors, center_routes
from offhook.web.client_secrets import ClientSecrets
from offhook.web.clip_routes import CLIPS_PATH, clip_routes
from offhook.web.commons import Commons, own_commons
from offhook.web.control import Switchboard, control_routes
from offhook.web.desk_tokens import DeskTokens
from offhook.web.evidence_routes import evidence_routes
from offhook.web.gate import Gate
from offhook.web.headers import BodyLimit, SecurityHeaders
from offhook.web.health import health_routes
from offhook.web.live_door import FloorDoor, LiveDoor
from offhook.web.live_site import DoorRules, LiveParts, desk_routes, live_doors
from offhook.web.livekit_routes import RoomDesk, livekit_routes
from offhook.web.media_doors import AdmitBrowser, AdmitPhone, BrowserDoor, TwilioDoor
from offhook.web.metrics import Exposition, Metrics, Scrape, metric_routes
from offhook.web.openai_api import openai_routes
from offhook.web.openai_models import Catalogue
from offhook.web.openai_transcripts import MAX_FILE
from offhook.web.origin import Origins
from offhook.web.pages import page_routes
from offhook.web.people import Notes
from offhook.web.ports import Directory, Elsewhere, Nowhere, Recordings
from offhook.web.provider_routes import provider_routes
from offhook.web.realtime_door import PATH as REALTIME_PATH
from offhook.web.realtime_door import Listen, RealtimeDoor
from offhook.web.session_routes import session_routes
from offhook.web.transfers import TransferBook
from offhook.web.twilio_rest import TwilioRest
from offhook.web.user_routes import audit_routes, user_routes
from offhook.web.vendor_hooks import MEDIA_PATH, HookGuard, PhoneDesk, vendor_routes
from offhook.web.visitors import Visitors
from offhook.web.voice_routes import MAX_CLONE_BYTES, VOICES_PATH, voice_routes
from offhook.web.webrtc_door import RtcDoor, Servers
from offhook.web.webrtc_routes import webrtc_routes
from offhook.web.webrtc_site import rtc_door
from offhook.web.wrap_up_routes import wrap_up_routes

BROWSER_PATH = "/media/browser"
TRANSCRIPTIONS_PATH = "/v1/audio/transcriptions"
AnyDoor = TwilioDoor | BrowserDoor | RealtimeDoor | LiveDoor | FloorDoor


@dataclass(frozen=True, slots=True)
class Parts:
    """What the doors stand on. `listen_phone` and `listen_browser` make the listener of one socket;
    `troubles` says why no calls should come now, in short phrases; `phone` places calls instead of the
    account in the settings. Where several processes are one house: what they have in `commons`, `house` with
    the calls and the room of all, calls `elsewhere`, and how to `gather` all metrics
    and the states of `providers`. With a `catalogue`
    there are the doors that OpenAI's clients know, with a `studio` those of voices and clips. Without
    `people` nobody logs in and nothing is noted; `live` is the desk. `webrtc` are callers without a socket,
    `rtc_servers` gives their ICE servers."""

    directory: Directory
    store: CallStore
    recordings: Recordings | None
    agents: Mapping[str, Agent]
    clock: Clock
    listen_phone: Callable[[AdmitPhone], WSListener]
    listen_browser: Callable[[AdmitBrowser], WSListener]
    metrics: Metrics = field(default_factory=Metrics)
    troubles: Callable[[], Sequence[str]] = tuple
    phone: TwilioRest | None = None
    commons: Commons | None = None
    house: Directory | None = None
    elsewhere: Elsewhere = field(default_factory=Nowhere)
    gather: Callable[[Exposition], Scrape] | None = None
    providers: Callable[[], Awaitable[Sequence[Health]]] | None = None
    catalogue: Catalogue | None = None
    studio: Studio | None = None
    listen_realtime: Listen | None = None
    people: People | None = None
    evidence: EvidenceDesk | None = None
    live: LiveParts | None = None
    center: CenterParts | None = None
    livekit: RoomDesk | None = None
    webrtc: RtcSessions | None = None
    rtc_servers: Servers = list


@dataclass(frozen=True, slots=True)
class Site:
    """`asgi` is what to serve, `doors` go beside it; `app` holds the routes. The session's transfer
    tool tells `transfers` where a phone call goes next. `visitors` judges who comes; `desk_tokens` open
    `/ws/live` to programs."""

    asgi: ASGIApp
    app: FastAPI
    doors: dict[str, AnyDoor]
    transfers: TransferBook
    visitors: Visitors
    desk_tokens: DeskTokens
    rtc: RtcDoor


def build_site(settings: Settings, parts: Parts) -> Site:
    """Reads or makes the call-token secret in the data directory, which must exist. Raises SettingsError."""
    clock, limits = parts.clock, settings.limits
    signatures = phone_signatures(settings)
    house = parts.house or parts.directory
    commons = parts.commons or own_commons(clock, limits.calls_per_address)
    secret = load_secret(settings.data / "call-token.key")
    tokens = CallTokens(secret, clock, commons.used)
    desk = _phone_desk(settings, parts, house, commons, signatures)
    phone = parts.phone or _phone(settings)
    board = Switchboard(
        house, parts.agents, settings.default_agent, tokens, phone, settings.public_url, parts.elsewhere
    )
    client_secrets = ClientSecrets(secret, clock)
    sessions = parts.people.sessions if parts.people is not None else None
    visitors = Visitors(sessions, _plain(settings.api_key), commons.guesses, settings.public_url)
    desk_tokens = DeskTokens(secret, clock, commons.desk, sessions)
    rooms = settings.livekit.public_url or settings.livekit.url if parts.livekit is not None else ""
    app = _app(parts, desk, board, client_secrets, rooms)
    notes = Notes(parts.people.audit if parts.people is not None else None, clock)
    app.include_router(livekit_routes(parts.livekit, visitors, tokens, board.agent, notes))
    if parts.people is not None:
        parts.people.accounts.allow = commons.logins.allow
        _include_people(app, settings, parts, parts.people, visitors, desk_tokens)
    gate = Gate(BodyLimit(app, limits.body_bytes, _bodies(limits.body_bytes)), visitors)
    origins = Origins(settings.public_url, settings.allowed_origins)
    browser = BrowserDoor(
        parts.directory,
        parts.listen_browser,
        origins,
        tokens,
        settings.require_call_tokens,
        commons.open,
        commons.attempts,
        settings.default_agent,
        house.count,
    )
    twilio = TwilioDoor(parts.directory, parts.listen_phone, commons.ledger, signatures, settings.public_url)
    doors: dict[str, AnyDoor] = {MEDIA_PATH: twilio, BROWSER_PATH: browser}
    if parts.catalogue is not None and parts.listen_realtime is not None:
        doors[REALTIME_PATH] = RealtimeDoor(
            parts.directory,
            parts.listen_realtime,
            parts.catalogue,
            visitors.stranger,
            client_secrets,
            origins,
            2 * limits.max_calls,
        )
    if parts.live is not None:
        wanted = settings.require_call_tokens
        rules = DoorRules(
            parts.directory, visitors, desk_tokens, tokens, wanted, origins, commons.attempts, commons.open
        )
        doors |= live_doors(parts.live, rules)
    if parts.center is not None:
        doors |= center_doors(parts.center, visitors)
    rtc = rtc_door(settings, parts, origins, tokens, commons)
    app.include_router(webrtc_routes(rtc))
    return Site(SecurityHeaders(gate), app, doors, commons.transfers, visitors, desk_tokens, rtc)


def _bodies(usual: int) -> dict[str, int]:
    """Paths that take files, with the largest body of each."""
    files = {TRANSCRIPTIONS_PATH: MAX_FILE, CLIPS_PATH: MAX_CLIP, VOICES_PATH: MAX_CLONE_BYTES}
    return {path: size + usual for path, size in files.items()}


def _phone_desk(
    settings: Settings, parts: Parts, house: Directory, commons: Commons, signatures: TwilioSignatures | None
) -> PhoneDesk:
    return PhoneDesk(
        house,
        commons.ledger,
        commons.transfers,
        HookGuard(signatures, settings.public_url),
        settings.public_url,
        lambda: parts.agents.keys(),
        settings.default_agent,
        parts.elsewhere,
    )


def _app(
    parts: Parts, desk: PhoneDesk, board: Switchboard, client_secrets: ClientSecrets, rooms: str
) -> FastAPI:
    app = FastAPI(
        title="Offhook", version=__version__, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None
    )
    faults.install(app)
    app.include_router(health_routes(parts.house or parts.directory, parts.troubles))
    app.include_router(metric_routes(parts.metrics, parts.gather))

    async def providers() -> Sequence[Health]:
        return parts.metrics.gauges.providers()

    app.include_router(provider_routes(parts.providers or providers))
    notes = Notes(parts.people.audit if parts.people is not None else None, parts.clock)
    app.include_router(control_routes(board, parts.store, notes))
    app.include_router(call_routes(parts.store, parts.recordings, notes))
    app.include_router(wrap_up_routes(parts.store, notes))
    if parts.evidence is not None:
        app.include_router(evidence_routes(parts.evidence, parts.store, notes))
    app.include_router(vendor_routes(desk))
    app.include_router(page_routes(rooms=rooms))
    if parts.catalogue is not None:
        app.include_router(openai_routes(parts.catalogue, client_secrets))
    if parts.live is not None:
        app.include_router(desk_routes(parts.live))
    if parts.center is not None:
        for routes in center_routes(parts.center, parts.clock, notes):
            app.include_router(routes)
    if parts.studio is not None:
        app.include_router(voice_routes(parts.studio, parts.clock, notes))
        app.include_router(clip_routes(parts.studio, parts.clock, notes))
    return app


def _include_people(
    app: FastAPI,
    settings: Settings,
    parts: Parts,
    people: People,
    visitors: Visitors,
    desk_tokens: DeskTokens,
) -> None:
    secure = settings.public_url.startswith("https:")
    app.include_router(session_routes(visitors, people.accounts, people.sessions, desk_tokens, secure))
    app.include_router(user_routes(people.accounts, parts.agents.keys()))
    app.include_router(audit_routes(people.audit))


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""


def phone_signatures(settings: Settings) -> TwilioSignatures | None:
    """Which secret signs the phone vendor's requests; the algorithm belongs to the secret."""
    if _plain(settings.twilio.signing_key):
        return TwilioSignatures(_plain(settings.twilio.signing_key), Algorithm.SHA256)
    if _plain(settings.twilio.auth_token):
        return TwilioSignatures(_plain(settings.twilio.auth_token))
    return None


def _phone(settings: Settings) -> TwilioRest | None:
    account = settings.twilio
    token = _plain(account.auth_token)
    if not (account.account_sid and token and account.from_number):
        return None
    return TwilioRest(account.account_sid, token, account.from_number)
