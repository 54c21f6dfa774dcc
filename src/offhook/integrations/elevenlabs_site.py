"""The doors of a program that holds the conversations itself: call page, phone webhook, both sockets."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from fastapi import FastAPI
from starlette.types import ASGIApp

from offhook.channels.bounds import SocketBounds
from offhook.channels.browser import BrowserSocket
from offhook.channels.browser_channel import BrowserChannel
from offhook.channels.phone import PhoneSocket
from offhook.channels.resume import ResumeDesk
from offhook.channels.watch import Watch
from offhook.foundation.clock import Clock
from offhook.integrations.elevenlabs_lobby import Lobby
from offhook.protocols.signatures import TwilioSignatures
from offhook.settings import Settings
from offhook.settings.keys import plain
from offhook.web import faults
from offhook.web.call_tokens import CallTokens
from offhook.web.commons import Commons, own_commons
from offhook.web.control import AgentList, AgentView
from offhook.web.gate import Gate
from offhook.web.headers import BodyLimit, SecurityHeaders
from offhook.web.health import health_routes
from offhook.web.media_doors import BrowserDoor, TwilioDoor
from offhook.web.origin import Origins
from offhook.web.pages import page_routes
from offhook.web.site import BROWSER_PATH, phone_signatures
from offhook.web.sockets import Door
from offhook.web.vendor_hooks import MEDIA_PATH, HookGuard, PhoneDesk, vendor_routes
from offhook.web.visitors import Visitors

AGENT = "default"
"""The one agent that callers may ask for: which it really is, the program decides."""


def build(settings: Settings, lobby: Lobby, clock: Clock) -> tuple[ASGIApp, Mapping[str, Door], CallTokens]:
    """What to serve, the media doors beside it, and what mints invitations."""
    commons = own_commons(clock, settings.limits.calls_per_address)
    tokens = CallTokens(secrets.token_bytes(32), clock, commons.used)
    signed = phone_signatures(settings)
    hooks = PhoneDesk(
        lobby,
        commons.ledger,
        commons.transfers,
        HookGuard(signed, settings.public_url),
        settings.public_url,
        lambda: (AGENT,),
        AGENT,
    )
    visitors = Visitors(None, plain(settings.api_key), commons.guesses, settings.public_url)
    gate = Gate(BodyLimit(_app(lobby, hooks), settings.limits.body_bytes), visitors)
    return SecurityHeaders(gate), _doors(settings, lobby, commons, tokens, signed), tokens


def _doors(
    settings: Settings, lobby: Lobby, commons: Commons, tokens: CallTokens, signed: TwilioSignatures | None
) -> Mapping[str, Door]:
    limits, watch, desk = settings.limits, Watch(), ResumeDesk[BrowserChannel]()
    bounds = SocketBounds(
        message_bytes=limits.message_bytes,
        first_message_seconds=limits.first_message_seconds,
        media_silence_seconds=limits.media_silence_seconds,
        resume_seconds=limits.resume_seconds,
    )
    browser = BrowserDoor(
        lobby,
        lambda admit: BrowserSocket(lobby, admit, bounds, watch, desk),
        Origins(settings.public_url, settings.allowed_origins),
        tokens,
        settings.require_call_tokens,
        commons.open,
        commons.attempts,
    )
    phone = TwilioDoor(
        lobby,
        lambda admit: PhoneSocket(lobby, admit, bounds, watch),
        commons.ledger,
        signed,
        settings.public_url,
    )
    return {BROWSER_PATH: browser, MEDIA_PATH: phone}


def _app(lobby: Lobby, hooks: PhoneDesk) -> FastAPI:
    app = FastAPI(title="Offhook", openapi_url=None, docs_url=None, redoc_url=None)
    faults.install(app)

    @app.get("/api/agents", response_model=AgentList)
    async def agents() -> AgentList:
        return AgentList(agents=[AgentView(name=AGENT, greeting="", language="")])

    app.include_router(health_routes(lobby))
    app.include_router(vendor_routes(hooks))
    app.include_router(page_routes())
    return app
