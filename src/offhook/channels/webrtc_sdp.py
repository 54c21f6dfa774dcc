"""A caller's WebRTC offer as values, and our answer as text. Opens nothing, knows no ICE or DTLS.

One bundle of one Opus stream and at most one data transport; whatever else is offered is declined.
https://www.rfc-editor.org/rfc/rfc8829
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aiortc.rtcicetransport import RTCIceParameters
from aiortc.sdp import MediaDescription, SessionDescription

from offhook.channels.webrtc_sessions import MOST_SDP
from offhook.foundation.errors import WireError
from offhook.protocols.base import SizeError

MOST_CANDIDATES = 16
MESSAGE_BYTES = 65_536
_CREDENTIALS = re.compile(r"[A-Za-z0-9+/]{4,256} [A-Za-z0-9+/]{22,256}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,64}")
_HASHES = ("sha-256", "sha-384", "sha-512")
_ANSWERED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly"}
_SETUPS = {"auto": "active", "server": "active", "client": "passive"}


@dataclass(frozen=True, slots=True)
class Media:
    """One medium as it was offered, for the answer's line about it."""

    kind: str
    mid: str
    profile: str
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a caller offers. `direction` and `setup` are our side's. `opus` and `digits` are payload types, no
    `digits` where there are none; `data` is the media's place of the data transport, -1 for none."""

    media: tuple[Media, ...]
    audio: int
    data: int
    direction: str
    opus: int
    digits: int | None
    digits_rate: int
    ufrag: str
    password: str
    lite: bool
    candidates: tuple[str, ...]
    fingerprints: tuple[tuple[str, str], ...]
    setup: str
    sctp_port: int = 5000
    message_bytes: int = MESSAGE_BYTES

    @property
    def sends(self) -> bool:
        """Whether the caller is heard."""
        return self.direction in ("sendrecv", "recvonly")

    @property
    def hears(self) -> bool:
        return self.direction in ("sendrecv", "sendonly")


@dataclass(frozen=True, slots=True)
class Side:
    """Our side of a connection, for the answer."""

    ufrag: str
    password: str
    candidates: Sequence[str]
    fingerprints: Sequence[tuple[str, str]]
    ssrc: int
    version: int = 1


def read_offer(text: str) -> Offer:
    """Raises WireError, with what is wrong in one sentence."""
    if len(text) > MOST_SDP:
        raise SizeError(f"an offer has at most {MOST_SDP} bytes")
    try:
        session = SessionDescription.parse(text)
    except Exception:  # the parser raises whatever its conversions raise
        raise WireError("the offer is no SDP that can be read") from None
    places = [n for n, medium in enumerate(session.media) if _is_voice(medium)]
    if not places:
        raise WireError("the offer has no audio that we could take: Opus, bundled with RTCP")
    place = places[0]
    audio = session.media[place]
    bundle = next((group.items for group in session.group if group.semantic == "BUNDLE"), [])
    data = next((n for n, medium in enumerate(session.media) if _is_data(medium, audio, bundle)), -1)
    far = session.media[data] if data >= 0 else None
    fingerprints = _fingerprints(audio)
    ice = audio.ice or RTCIceParameters()
    ufrag, password = ice.usernameFragment or "", ice.password or ""
    if not _CREDENTIALS.fullmatch(f"{ufrag} {password}"):
        raise WireError("the offer has no valid ICE name and password")
    event = _codec(audio, "telephone-event", 48_000) or _codec(audio, "telephone-event", 8_000)
    opus = _codec(audio, "opus", 48_000)
    assert opus is not None
    return Offer(
        media=tuple(_medium(medium) for medium in session.media),
        audio=place,
        data=data,
        direction=_ANSWERED[audio.direction or "sendrecv"],
        opus=opus[0],
        digits=event[0] if event else None,
        digits_rate=event[1] if event else 0,
        ufrag=ufrag,
        password=password,
        lite=ice.iceLite,
        candidates=_candidates(text),
        fingerprints=fingerprints,
        setup=_SETUPS[audio.dtls.role if audio.dtls is not None else "auto"],
        sctp_port=far.sctp_port or 5000 if far is not None else 5000,
        message_bytes=_message_bytes(far),
    )


def _is_voice(medium: MediaDescription) -> bool:
    return bool(
        medium.kind == "audio"
        and medium.port != 0
        and medium.rtcp_mux
        and (medium.direction or "sendrecv") in _ANSWERED
        and _codec(medium, "opus", 48_000)
    )


def _is_data(medium: MediaDescription, audio: MediaDescription, bundle: Sequence[object]) -> bool:
    return (
        medium.kind == "application"
        and medium.port != 0
        and "webrtc-datachannel" in medium.fmt
        and {medium.rtp.muxId, audio.rtp.muxId} <= set(bundle)
    )


def _codec(medium: MediaDescription, name: str, rate: int) -> tuple[int, int] | None:
    for codec in medium.rtp.codecs:
        place = codec.payloadType
        if place is not None and codec.mimeType.lower() == f"audio/{name}" and codec.clockRate == rate:
            return place, rate
    return None


def _medium(medium: MediaDescription) -> Media:
    mid = medium.rtp.muxId or ""
    if mid and not _TOKEN.fullmatch(mid):
        raise WireError("the offer names a medium with what is no token")
    kind = medium.kind if medium.kind in ("audio", "video", "application") else "application"
    return Media(kind, mid, medium.profile, tuple(str(each) for each in medium.fmt[:1]))


def _fingerprints(audio: MediaDescription) -> tuple[tuple[str, str], ...]:
    given = audio.dtls.fingerprints if audio.dtls is not None else []
    found = tuple((each.algorithm.lower(), each.value.upper()) for each in given)
    if not any(algorithm in _HASHES for algorithm, _ in found):
        raise WireError("the offer has no certificate fingerprint that we know")
    return found


def _message_bytes(far: MediaDescription | None) -> int:
    if far is None or far.sctpCapabilities is None or far.sctpCapabilities.maxMessageSize == 0:
        return MESSAGE_BYTES
    return far.sctpCapabilities.maxMessageSize


def _candidates(text: str) -> tuple[str, ...]:
    lines = (line.strip() for line in text.splitlines())
    found = dict.fromkeys(line[12:] for line in lines if line.startswith("a=candidate:"))
    return tuple(found)[:MOST_CANDIDATES]


def write_answer(offer: Offer, side: Side) -> str:
    """The answer to an offer."""
    taken = [n for n in (offer.audio, offer.data) if n >= 0]
    mids = " ".join(offer.media[n].mid for n in sorted(taken) if offer.media[n].mid)
    lines = ["v=0", f"o=- {side.ssrc} {side.version} IN IP4 0.0.0.0", "s=-", "t=0 0"]
    if mids:
        lines.append(f"a=group:BUNDLE {mids}")
    lines.append("a=msid-semantic: WMS offhook")
    for number, medium in enumerate(offer.media):
        if number == offer.audio:
            lines += _voice(offer, medium, side)
        elif number == offer.data:
            lines += _data(offer, medium, side)
        else:
            lines += [f"m={medium.kind} 0 {medium.profile} {' '.join(medium.formats)}", "c=IN IP4 0.0.0.0"]
            lines += [f"a=mid:{medium.mid}"] if medium.mid else []
            lines += ["a=inactive"]
    return "\r\n".join(lines) + "\r\n"


def _transport(offer: Offer, medium: Media, side: Side) -> list[str]:
    lines = ["c=IN IP4 0.0.0.0"]
    lines += [f"a=candidate:{candidate}" for candidate in side.candidates]
    lines += ["a=end-of-candidates", f"a=ice-ufrag:{side.ufrag}", f"a=ice-pwd:{side.password}"]
    lines += ["a=ice-options:trickle"]
    lines += [f"a=fingerprint:{algorithm} {value}" for algorithm, value in side.fingerprints]
    lines += [f"a=setup:{offer.setup}"]
    return lines + ([f"a=mid:{medium.mid}"] if medium.mid else [])


def _voice(offer: Offer, medium: Media, side: Side) -> list[str]:
    opus, digits = offer.opus, offer.digits
    formats = f"{opus}" if digits is None else f"{opus} {digits}"
    lines = [f"m=audio 9 {medium.profile} {formats}", *_transport(offer, medium, side)]
    lines += [f"a={offer.direction}", "a=rtcp:9 IN IP4 0.0.0.0", "a=rtcp-mux"]
    lines += [f"a=rtpmap:{opus} opus/48000/2"]
    wide = "maxplaybackrate=16000;sprop-maxcapturerate=16000"  # what we hear and say is wideband
    lines += [f"a=fmtp:{opus} minptime=10;useinbandfec=1;stereo=0;{wide}"]
    if digits is not None:
        lines += [f"a=rtpmap:{digits} telephone-event/{offer.digits_rate}", f"a=fmtp:{digits} 0-15"]
    lines += ["a=ptime:20"]
    if offer.hears:
        lines += ["a=msid:offhook agent", f"a=ssrc:{side.ssrc} cname:offhook"]
        lines += [f"a=ssrc:{side.ssrc} msid:offhook agent"]
    return lines


def _data(offer: Offer, medium: Media, side: Side) -> list[str]:
    lines = [f"m=application 9 {medium.profile} webrtc-datachannel", *_transport(offer, medium, side)]
    return [*lines, "a=sctp-port:5000", f"a=max-message-size:{MESSAGE_BYTES}"]
