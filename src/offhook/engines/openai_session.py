"""One session with a Realtime server: opened, spoken over, closed. Never reconnects, plays nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from offhook.audio.convert import Converter
from offhook.audio.frame import AudioFormat
from offhook.engines import openai_notes as notes
from offhook.engines.duplex import NOBODY, DuplexListener
from offhook.engines.openai_memory import Memory
from offhook.engines.openai_notes import PROVIDER
from offhook.engines.openai_replies import Ask, Replies
from offhook.engines.openai_speech import Tools, Voice, Words, audio_format
from offhook.engines.vendor_socket import VendorBounds, VendorSocket, dial
from offhook.foundation.errors import ProviderError
from offhook.protocols import openai_realtime as wire
from offhook.protocols import openai_realtime_events as events

_HARMLESS = ("response_cancel_not_active", "session_expired")


class RealtimeSession:
    """One socket. `fatal` is set when another session would not help. All but `open` is immediate."""

    def __init__(
        self,
        config: wire.SessionConfig,
        format: AudioFormat,
        bounds: VendorBounds,
        memory: Memory,
        now: Callable[[], float],
    ) -> None:
        self._config = config
        self._format = format
        self._bounds = bounds
        self._memory = memory
        self._now = now
        self._listener: DuplexListener | None = None
        self._socket: VendorSocket | None = None
        self._ready: asyncio.Future[None] | None = None
        self._into = Converter(format, audio_format(config.format))
        self._voice = Voice(Converter(audio_format(config.format), format))
        self._words = Words()
        self._tools = Tools()
        self._speech = False
        self._reset_s = 0.0
        self._retry: asyncio.TimerHandle | None = None
        self.replies = Replies(self.post, now)
        self.fatal: ProviderError | None = None

    # Opening and closing.

    async def open(self, url: str, headers: Mapping[str, str]) -> None:
        """Connect and configure. Raises ProviderError."""
        ready = self._ready = asyncio.get_running_loop().create_future()
        try:
            self._socket = await dial(
                PROVIDER,
                url,
                headers,
                self._receive,
                self._bounds,
                self._closed,
                subject=f"model {self._config.model!r}",
            )
            async with asyncio.timeout(self._bounds.connect_s):
                await ready
        except TimeoutError:
            self.cut("did not configure the session in time")
            raise self.lost() from None
        except BaseException:
            self.cut("was not configured")
            raise

    def listen(self, listener: DuplexListener | None) -> None:
        """From now on tell this listener what happens; None: nobody."""
        self._listener = listener

    @property
    def is_open(self) -> bool:
        return self._socket is not None and self._socket.is_open

    async def wait_closed(self) -> None:
        if self._socket is not None:
            await self._socket.wait_closed()

    def lost(self) -> ProviderError:
        """Why it is over."""
        if self.fatal is not None:
            return self.fatal
        return ProviderError(PROVIDER, self._socket.fault if self._socket is not None else "was not reached")

    def close(self) -> None:
        """Close politely; nothing more is told."""
        self._listener = None
        self._stop_retry()
        if self._socket is not None:
            self._socket.close()

    def cut(self, why: str) -> None:
        self._stop_retry()
        if self._socket is not None:
            self._socket.cut(why)

    def check(self) -> None:
        """To be called now and then: a server that owes a reply and is silent is given up."""
        due = self.replies.due
        if due is not None and self._now() > due and self.is_open:
            self.cut("owed a reply and did not give it")

    @property
    def is_quiet(self) -> bool:
        """Nobody speaks and nothing is owed: a good moment to change sessions."""
        return self.replies.is_idle and not self._speech and not self._tools.awaited

    def unfinished(self) -> list[Ask]:
        """What the server was asked to say and did not say to its end."""
        return self.replies.unfinished(speaking=bool(self._voice.open_item))

    @property
    def open_item(self) -> str:
        """The utterance that the server is in the middle of, or nothing."""
        return self._voice.open_item

    def awaits(self, call_id: str) -> bool:
        """Whether this session called that tool."""
        return call_id in self._tools.awaited

    def _closed(self) -> None:
        self._stop_retry()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(self.lost())

    def _stop_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()

    # What the engine asks.

    def hear(self, audio: bytes) -> None:
        """The caller's audio; on the media path."""
        if converted := self._into.process(audio):
            self.post(wire.append(converted))

    def post(self, raw: bytes) -> None:
        if self._socket is not None:
            self._socket.send(raw)

    def truncate(self, item: str, heard_ms: int) -> None:
        """Of the item so much was heard: never more than was generated."""
        generated_ms = self._voice.generated_ms(item)
        if generated_ms is not None:
            self.post(wire.truncate(item, max(0, min(heard_ms, generated_ms))))

    def answer_tool(self, call_id: str, output: str, reply: bool) -> None:
        """What a call came to; once all calls of a reply are answered, the model goes on."""
        self.post(wire.tool_output(call_id, output))
        if self._tools.answered(call_id, reply):
            self.replies.ask(Ask())

    # What the server says.

    def _receive(self, raw: bytes) -> None:
        event = events.parse(raw)
        if self._ready is not None and not self._ready.done():
            self._opening(self._ready, event)
        elif event is not None:
            self.replies.heard_of()
            self._heard(event)

    def _opening(self, ready: asyncio.Future[None], event: events.ServerEvent | None) -> None:
        match event:
            case events.SessionCreated():
                self.post(wire.update(self._config))
            case events.SessionUpdated():
                self._adapt(event)
                notes.configured(self._config, event)
                ready.set_result(None)
            case events.Failure(code, message):
                retryable = code in ("server_error", "rate_limit_exceeded")
                ready.set_exception(notes.reported(code, message, retryable))

    def _heard(self, event: events.ServerEvent) -> None:
        match event:
            case events.Sound():
                self._sound(event)
            case events.Text(response, item, text, final):
                if not self.replies.is_over(response) and self._voice.text(item, final):
                    self._tell.on_text(item, text)
            case events.Words(item, text, final, language):
                if final and text:
                    self._memory.understood()
                self._tell.on_words(self._words.so_far(item, text, final), final, language, item)
            case events.SpeechStarted(item) | events.SpeechStopped(item):
                self._turn(isinstance(event, events.SpeechStarted), item)
            case events.Committed():
                self._memory.committed()
                self.replies.expect()
            case events.ResponseCreated(response):
                self.replies.created(response)
            case events.ItemDone(response, item, tool):
                if tool is not None:
                    self._tools.called.append(tool)
                elif not self.replies.is_over(response):
                    self._spoken(item)
            case events.ResponseDone():
                self._response_done(event)
            case events.RateLimits(limits):
                self._rate_limits(limits)
            case events.Failure(code, message, event_id):
                if code not in _HARMLESS and not self.replies.refused(code, event_id):
                    self._tell.on_trouble(notes.reported(code, message))

    @property
    def _tell(self) -> DuplexListener:
        return self._listener or NOBODY

    def _adapt(self, event: events.SessionUpdated) -> None:
        """A server may use another format than it was asked for: it is heard and answered all the same."""
        if event.input_format:
            self._into = Converter(self._format, audio_format(event.input_format))
        if event.output_format:
            self._voice = Voice(Converter(audio_format(event.output_format), self._format))

    def _sound(self, event: events.Sound) -> None:
        if self.replies.is_over(event.response):
            return
        self.replies.sounded()
        self._memory.answered()
        if audio := self._voice.sound(event.item, event.audio):
            self._tell.on_sound(event.item, audio)

    def _turn(self, began: bool, item: str) -> None:
        self._speech = began
        if began:
            self.replies.interrupted()
            self._voice.open_item = ""
        self._memory.speech(began)
        self._tell.on_speech(began, item)

    def _spoken(self, item: str) -> None:
        if tail := self._voice.end(item):
            self._tell.on_sound(item, tail)
        self._tell.on_spoken(item)

    def _response_done(self, event: events.ResponseDone) -> None:
        if (item := self._voice.open_item) and not self.replies.is_over(event.response):
            self._spoken(item)
        self._voice.open_item = ""
        asked = self.replies.done()
        calls, self._tools.called = self._tools.called, []
        match event.status:
            case "failed":
                self._failed(event.code or event.status, asked)
            case "cancelled":
                if not self.replies.is_over(event.response):
                    self._tell.on_interrupted()
                for call in calls:
                    self.post(wire.tool_output(call.id, "not run: the caller interrupted"))
            case _:
                if event.status == "incomplete":
                    self._tell.on_trouble(notes.failure("broke off a reply", event.code))
                self._memory.answered()
                self._tools.awaited.update(call.id for call in calls)
                for call in calls:
                    self._tell.on_tool(call)
        self.replies.go_on()

    def _failed(self, code: str, asked: Ask) -> None:
        """The server failed to reply: it is asked again a little later, and given up when it fails often."""
        error = notes.failure("failed to reply", code)
        self._tell.on_trouble(error)
        wait_s = self.replies.failed(asked, self._reset_s if code == "rate_limit_exceeded" else 0.0)
        if wait_s:
            self._retry = asyncio.get_running_loop().call_later(wait_s, self.replies.again)
        else:
            self.fatal = error
            self.cut("failed to reply again and again")

    def _rate_limits(self, limits: tuple[events.RateLimit, ...]) -> None:
        self._reset_s = max((limit.reset_seconds for limit in limits), default=0.0)
        for trouble in notes.near(limits):
            self._tell.on_trouble(trouble)
