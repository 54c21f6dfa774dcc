"""A site over a real database and real recordings, with a scripted directory. Nothing is served here."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr
from tests.web.staff import Browser, staffed
from tests.web.stand_ins import Calls, FrontDesk

from offhook.audio.frame import WIDEBAND
from offhook.channels.bounds import SocketBounds
from offhook.channels.browser import BrowserSocket
from offhook.channels.phone import PhoneSocket
from offhook.channels.realtime import RealtimeSocket
from offhook.channels.resume import ResumeDesk
from offhook.channels.watch import Watch
from offhook.desk import passwords
from offhook.desk.evidence.desk import EvidenceDesk
from offhook.desk.floor import Floor
from offhook.desk.people import People, open_people
from offhook.desk.studio import Studio
from offhook.engines.cascade import CascadeFactory
from offhook.foundation.clock import ManualClock
from offhook.foundation.events import (
    ChannelKind,
    Direction,
    EndReason,
    Entry,
    LegKind,
    TranscriptFinal,
)
from offhook.foundation.ids import call_id as new_call_id
from offhook.providers import Board
from offhook.providers.center import Center, make_center
from offhook.providers.desk import make_desk
from offhook.providers.studio import make_studio
from offhook.settings import Limits, LiveKit, Settings, Twilio
from offhook.speech.llm.fake import ScriptedLlm
from offhook.speech.stt.fake import ScriptedStt
from offhook.speech.tts.fake import ScriptedTts
from offhook.speech.turn.silence import SilenceTurn
from offhook.storage.base import CallRecord, RecordingState
from offhook.storage.recordings import Tapes
from offhook.storage.sql import SqlStore
from offhook.web.openai_models import Catalogue
from offhook.web.site import Parts, Site, build_site
from offhook.web.twilio_rest import TwilioRest
from offhook.workers.share import Share

TOKEN = "12345"


def scripted(**parts: Any) -> CascadeFactory:
    """An engine that speaks and hears at once."""
    clock = ManualClock()
    given = {"stt": ScriptedStt(["Hello there."]), "llm": ScriptedLlm(), "tts": ScriptedTts(), **parts}
    return CascadeFactory(given["stt"], given["llm"], given["tts"], SilenceTurn(), clock, name="cascade")


def catalogue(agents: Any, *engines: CascadeFactory) -> Catalogue:
    return Catalogue(agents, {engine.name: engine for engine in engines}, "default", "cascade")


PUBLIC = "https://calls.example.com"


class Stage:
    """What a test needs to drive a site."""

    def __init__(self, site: Site, parts: Parts, calls: Calls, desk: FrontDesk, clock: ManualClock) -> None:
        self.site = site
        self.parts = parts
        self.calls = calls
        self.desk = desk
        self.clock = clock

    def client(self, peer: str = "127.0.0.1", **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.site.asgi, client=(peer, 50_000), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", **options)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all its tables, made once."""
    path = tmp_path_factory.mktemp("web") / "calls.db"
    made = SqlStore(f"sqlite:///{path}")
    asyncio.run(made.close())
    return path


@pytest.fixture
async def make_stage(empty_database: Path, tmp_path: Path) -> AsyncIterator[Callable[..., Stage]]:
    """Builds a site: `phone=True` with an account and a public URL, `key` with an API key."""
    shutil.copy(empty_database, tmp_path / "calls.db")
    store = SqlStore(f"sqlite:///{tmp_path}/calls.db", commit_interval=0.005)
    tapes = Tapes(tmp_path / "recordings", store, lambda call_id, reason: None)
    made: list[People] = []
    centers: list[Center] = []

    def make(
        phone: bool = False,
        key: str = "",
        rest: TwilioRest | None = None,
        engine_parts: dict[str, Any] | None = None,
        studio: Studio | None = None,
        livekit: Any = None,
        livekit_settings: dict[str, str] | None = None,
        **more: Any,
    ) -> Stage:
        account = Twilio(account_sid="AC" + "0" * 32, auth_token=SecretStr(TOKEN), from_number="+15550100")
        given: dict[str, Any] = {"data": tmp_path, "limits": Limits(calls_per_address=3), **more}
        given["livekit"] = LiveKit(**livekit_settings or {})
        if phone:
            given |= {"twilio": account, "public_url": PUBLIC}
        settings = Settings(api_key=SecretStr(key) if key else None, **given)
        calls, desk, clock, watch = Calls(), FrontDesk(), ManualClock(), Watch()
        resume: ResumeDesk[Any] = ResumeDesk()
        bounds = SocketBounds(close_seconds=0.2)
        made.append(open_people(store.engine, clock, timedelta(hours=8), timedelta(hours=24)))
        studio = studio or make_studio(settings, {"cascade": scripted(**engine_parts or {})}, Board())
        centers.append(make_center(settings, calls, store.engine, clock))
        parts = Parts(
            center=centers[-1].parts(made[-1], bounds, watch, Share()),
            live=make_desk(calls, Floor(calls, clock), made[-1], studio, bounds, watch),
            livekit=livekit,
            people=made[-1],
            evidence=EvidenceDesk(store, tapes, made[-1].audit, tmp_path, clock),
            directory=calls,
            store=store,
            recordings=tapes,
            agents=settings.agents,
            clock=clock,
            listen_phone=lambda admit: PhoneSocket(desk, admit, bounds, watch),
            listen_browser=lambda admit: BrowserSocket(desk, admit, bounds, watch, resume),
            phone=rest,
            catalogue=catalogue(settings.agents, scripted(**engine_parts or {})),
            studio=studio,
            listen_realtime=lambda offer, session: RealtimeSocket(desk, offer, bounds, watch, session),
        )
        return Stage(build_site(settings, parts), parts, calls, desk, clock)

    yield make
    for center in centers:
        await center.close()
    for people in made:
        await people.close()
    await tapes.close()
    await store.close()


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage()


@pytest.fixture
async def kept_call(stage: Stage) -> str:
    """A call of one second, ended, with two turns and a sealed recording."""
    store, tapes = stage.parts.store, stage.parts.recordings
    assert isinstance(tapes, Tapes)
    call_id = new_call_id()
    began = datetime(2026, 1, 1, 12, tzinfo=UTC)
    store.begin(CallRecord(call_id, Direction.INBOUND, ChannelKind.BROWSER, "default", "", "", began))
    for seq, (leg, text) in enumerate([(LegKind.CALLER, "Are you <open>?"), (LegKind.AGENT, "Yes & no.")], 1):
        event = TranscriptFinal(leg, 1, text, (seq - 1) * 500, seq * 500)
        store.keep(Entry(call_id, seq, seq * 500, event))
    tape = tapes.open(call_id, {LegKind.CALLER: WIDEBAND, LegKind.AGENT: WIDEBAND})
    tone = (np.sin(np.arange(16_000) * 0.2) * 12_000).astype("<i2").tobytes()
    tape.write(LegKind.CALLER, 0, tone)
    store.end(call_id, EndReason.CALLER_HUNG_UP, began, 1000)
    tape.close()
    await tapes.close()
    await store.flush()
    record = await store.call(call_id)
    assert record is not None
    assert record.recording is RecordingState.SEALED
    return call_id


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take a millisecond."""
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    monkeypatch.setattr(passwords, "_nobodys", lambda: cheap.hash("nobody"))


@pytest.fixture
async def house(make_stage: Callable[..., Stage], quick_passwords: None) -> Stage:
    """A stage with users."""
    staged: Stage = await staffed(make_stage())
    return staged


@pytest.fixture
async def sara(house: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """The operator, logged in."""
    async with Browser(house, "sara") as http:
        yield http
