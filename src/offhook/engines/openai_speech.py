"""What a Realtime session says, in a call's terms: utterances, their sizes, formats, tools. No events."""

from __future__ import annotations

from collections import OrderedDict

from offhook.audio.convert import Converter
from offhook.audio.frame import AudioFormat, Encoding
from offhook.protocols import openai_realtime as wire
from offhook.speech.base import ToolCall

_MAX_ITEMS = 64
_ENCODINGS = {"audio/pcmu": Encoding.ULAW, "audio/pcma": Encoding.ALAW, wire.PCM: Encoding.PCM16}


def wire_format(format: AudioFormat) -> str:
    """The protocol's format for a call's: telephone formats as they are, all else as PCM."""
    kind = {Encoding.ULAW: "audio/pcmu", Encoding.ALAW: "audio/pcma"}.get(format.encoding, wire.PCM)
    return kind if format.rate == wire.FORMATS[kind] else wire.PCM


def audio_format(kind: str) -> AudioFormat:
    """The audio format that a name of the protocol stands for."""
    return AudioFormat(_ENCODINGS[kind], wire.FORMATS[kind])


class Voice:
    """The utterances of a session: how much of each was generated, and in the call's format."""

    def __init__(self, convert: Converter) -> None:
        self._convert = convert
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._told: OrderedDict[str, None] = OrderedDict()
        self.open_item = ""

    def generated_ms(self, item: str) -> int | None:
        size = self._sizes.get(item)
        return None if size is None else int(self._convert.source.ms(size))

    def sound(self, item: str, audio: bytes) -> bytes:
        """More of an utterance."""
        if item not in self._sizes:
            self._convert.reset()
            self._sizes[item] = 0
            if len(self._sizes) > _MAX_ITEMS:
                self._sizes.popitem(last=False)
        self.open_item = item
        self._sizes[item] += len(audio)
        return self._convert.process(audio)

    def text(self, item: str, final: bool) -> bool:
        """Whether these words are news: the whole text is none where it came in parts."""
        if final and item in self._told:
            return False
        self._told[item] = None
        if len(self._told) > _MAX_ITEMS:
            self._told.popitem(last=False)
        return True

    def end(self, item: str) -> bytes:
        """The utterance is complete; its last sound."""
        if item != self.open_item:
            return b""
        self.open_item = ""
        return self._convert.flush()


class Words:
    """The caller's words so far, where they come in parts."""

    def __init__(self) -> None:
        self._parts: OrderedDict[str, str] = OrderedDict()

    def so_far(self, item: str, text: str, final: bool) -> str:
        """All the words of the item, given more of them, or (`final`) all."""
        if final:
            self._parts.pop(item, None)
            return text
        self._parts[item] = self._parts.get(item, "") + text
        if len(self._parts) > _MAX_ITEMS:
            self._parts.popitem(last=False)
        return self._parts[item]


class Tools:
    """The tool calls of the reply under way, and those that nobody has answered yet."""

    def __init__(self) -> None:
        self.called: list[ToolCall] = []
        self.awaited: set[str] = set()
        self._reply = False

    def answered(self, call_id: str, reply: bool) -> bool:
        """Whether the model shall now go on."""
        self.awaited.discard(call_id)
        self._reply = self._reply or reply
        if self.awaited or not self._reply:
            return False
        self._reply = False
        return True
