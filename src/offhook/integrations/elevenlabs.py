"""A door for programs built on the official `elevenlabs` SDK: callers by browser and phone, no sound card.

    from offhook.integrations.elevenlabs import serve

    with serve(port=8080) as door:  # the caller opens http://127.0.0.1:8080/call
        conversation = Conversation(client, AGENT_ID, requires_auth=True, audio_interface=door.next_call())
        conversation.start_session()
        conversation.wait_for_session_end()

The program keeps its `Conversation` and callbacks; only the audio interface is another (docs/elevenlabs.md).
"""

from __future__ import annotations

import asyncio
import atexit
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol

import structlog

from offhook.audio.frame import AudioFormat, Encoding
from offhook.foundation.clock import SystemClock
from offhook.foundation.errors import OffhookError, SettingsError, WireError
from offhook.integrations.elevenlabs_async import AsyncCallerAudioInterface, AsyncSilentAudioInterface
from offhook.integrations.elevenlabs_audio import CallerAudioInterface, CallerHungUp, SilentAudioInterface
from offhook.integrations.elevenlabs_line import Line
from offhook.integrations.elevenlabs_lobby import DoorClosed, Lobby
from offhook.integrations.elevenlabs_site import build
from offhook.local_call import begin_local_call
from offhook.protocols.elevenlabs import audio_format
from offhook.settings import Settings, load
from offhook.web.server import DrainingServer, ServerLimits, listen

__all__ = [
    "AsyncCallerAudioInterface",
    "AsyncSilentAudioInterface",
    "CallerAudioInterface",
    "CallerHungUp",
    "Door",
    "DoorClosed",
    "SilentAudioInterface",
    "next_call",
    "serve",
]

RING_S = 20.0
_START_S = 10.0
_STOP_S = 5.0
_log = structlog.get_logger(__name__)


class Session(Protocol):
    """The SDK's `Conversation`, as far as `Door.answer` needs it."""

    def start_session(self) -> None: ...

    def end_session(self) -> None: ...

    def send_user_message(self, text: str) -> None: ...


def serve(
    port: int | None = None,
    host: str | None = None,
    *,
    format: str = "pcm_16000",
    max_calls: int = 50,
    settings: Settings | None = None,
) -> Door:
    """Open a door, in a thread of its own. `format` is that of the agent at ElevenLabs, both ways: with
    `ulaw_8000` a phone's bytes pass through untouched.

    What is not said comes from Offhook's settings (environment, `.env`, `offhook.toml`): `OFFHOOK_PORT`,
    `OFFHOOK_PUBLIC_URL`, `TWILIO_AUTH_TOKEN` …; with `USE_WEBSOCKET_AUDIO=false` the first caller is this
    machine's own sound card, terminal, or silence. Raises SettingsError, and OSError for an address in use.
    """
    if settings is None:
        settings = load({"port": port, "host": host})
    try:
        spoken = audio_format(format)
    except WireError:
        raise SettingsError(f"format {format!r} is none that an agent has: pcm_16000, ulaw_8000 …") from None
    return Door(settings, AudioFormat(Encoding(spoken.encoding), spoken.rate), max_calls)


class Door:
    """Takes calls until it is closed. Its methods may be called from any thread."""

    def __init__(self, settings: Settings, format: AudioFormat, max_calls: int) -> None:
        self._settings = settings
        self._format = format
        listener = listen(settings.host, settings.port)
        host, port = listener.getsockname()[:2]
        host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        self.url = settings.public_url or (
            f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        )
        self._ready: Future[asyncio.AbstractEventLoop] = Future()
        self._lobby: Lobby
        self._server: DrainingServer
        self._invite: Callable[[], str]
        self._max_calls = max_calls
        self._thread = threading.Thread(
            target=self._run, args=(self._serve(listener),), name="offhook-door", daemon=True
        )
        self._asked: set[Future[Line]] = set()
        self._over = False
        self._thread.start()
        try:
            self._loop = self._ready.result(_START_S)
        except BaseException:
            listener.close()
            raise
        _log.info("waiting for callers", page=self.page)

    @property
    def page(self) -> str:
        """Where a browser calls."""
        return f"{self.url}/call"

    @property
    def phone_webhook(self) -> str:
        """What to set as "a call comes in" of a number at Twilio; needs `public_url`."""
        return f"{self.url}/hooks/twilio/voice"

    def invite(self) -> str:
        """The page's address with a token for one call, within a minute: for `require_call_tokens`."""
        return f"{self.page}#token={self._invite()}"

    # Callers.

    def next_call(self, timeout: float | None = None) -> CallerAudioInterface:
        """Wait for a caller. Raises TimeoutError after `timeout` seconds, DoorClosed."""
        taker = self._ask()
        try:
            line = taker.result(timeout)
        except TimeoutError:
            if taker.cancel():
                raise
            line = taker.result()
        return CallerAudioInterface(line, self._post, self._format)

    async def async_next_call(self) -> AsyncCallerAudioInterface:
        """As `next_call`, for `AsyncConversation`."""
        line = await asyncio.wrap_future(self._ask())
        return AsyncCallerAudioInterface(line, self._post, self._format)

    def __iter__(self) -> Iterator[CallerAudioInterface]:
        """Each caller, until the door is closed."""
        while True:
            try:
                yield self.next_call()
            except DoorClosed:
                return

    def answer(self, make: Callable[[CallerAudioInterface], Session]) -> None:
        """Give every caller a conversation of its own, until the door is closed: `make` builds it, it is
        begun, and ended when the caller hangs up. What the caller types is sent to it."""
        for audio in self:
            threading.Thread(target=_hold, args=(make, audio), name="offhook-answer", daemon=True).start()

    # The life of the door.

    def close(self) -> None:
        """Let all callers go. Idempotent."""
        if self._thread.is_alive():
            self._server.should_exit = True
            self._thread.join(_STOP_S)

    def __enter__(self) -> Door:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self) -> Future[Line]:
        """For the next caller; DoorClosed once there will be none."""
        taker: Future[Line] = Future()
        self._asked.add(taker)
        taker.add_done_callback(self._asked.discard)
        self._post(self._lobby.take, taker)
        if self._over:
            self._refuse()
        return taker

    def _refuse(self) -> None:
        for taker in tuple(self._asked):
            with suppress(InvalidStateError):
                taker.set_exception(DoorClosed())

    def _post(self, do: Callable[..., object], *what: object) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(do, *what)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            if sys.platform == "win32":
                asyncio.run(work)
            else:
                import uvloop

                uvloop.run(work)
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            else:
                _log.exception("a door failed")
        finally:
            self._over = True
            self._refuse()

    async def _serve(self, listener: Any) -> None:
        loop, clock = asyncio.get_running_loop(), SystemClock()
        lobby = self._lobby = Lobby(self._format, self._max_calls, RING_S)
        asgi, doors, tokens = build(self._settings, lobby, clock)
        self._invite = lambda: tokens.mint("")

        def ready() -> None:
            if not self._settings.use_websocket_audio:
                begin_local_call(lobby)
            self._ready.set_result(loop)

        limits = ServerLimits(message_bytes=self._settings.limits.message_bytes)
        self._server = DrainingServer(asgi, doors, lobby, clock, limits, ready)
        try:
            await self._server.run_until_stopped(listener)
        finally:
            await lobby.close()


def _hold(make: Callable[[CallerAudioInterface], Session], audio: CallerAudioInterface) -> None:
    try:
        conversation = make(audio)
        audio.when_hung_up(conversation.end_session)
        audio.when_typed(conversation.send_user_message)
        conversation.start_session()
    except Exception as error:
        reason = error.reason if isinstance(error, OffhookError) else type(error).__name__
        _log.error("a caller could not be answered", reason=reason)
        audio.hang_up()


_only_door: list[Door] = []
_only_lock = threading.Lock()


def next_call(timeout: float | None = None) -> CallerAudioInterface:
    """Wait for a caller at a door that this process opens once, as the settings say, and keeps open: the one
    argument to change in a program that has one conversation after the other."""
    with _only_lock:
        if not _only_door:
            _only_door.append(serve())
            atexit.register(_only_door[0].close)
    return _only_door[0].next_call(timeout)
