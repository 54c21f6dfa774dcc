"""ICE candidates on their way by HTTP (RFC 8840, `application/trickle-ice-sdpfrag`). No ICE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offhook.foundation.errors import WireError

MEDIA_TYPE = "application/trickle-ice-sdpfrag"
MOST_LINES = 200
MOST_CANDIDATES = 32


@dataclass(frozen=True, slots=True)
class Fragment:
    """`candidates` as they stand after `candidate:`; `ended`: no more will come."""

    ufrag: str = ""
    password: str = ""
    candidates: tuple[str, ...] = ()
    ended: bool = False


def read_fragment(text: str) -> Fragment:
    """Raises WireError for what has no line of ICE in it, or too many."""
    lines = [line.strip() for line in text.splitlines()]
    if len(lines) > MOST_LINES:
        raise WireError("a fragment has too many lines")
    ufrag = password = ""
    candidates: list[str] = []
    ended = False
    for line in lines:
        name, _, value = line.removeprefix("a=").partition(":")
        if not line.startswith("a="):
            continue
        match name:
            case "ice-ufrag":
                ufrag = value
            case "ice-pwd":
                password = value
            case "candidate":
                candidates.append(value)
            case "end-of-candidates":
                ended = True
    if not (ufrag or candidates or ended):
        raise WireError("a fragment has no candidates")
    if len(candidates) > MOST_CANDIDATES:
        raise WireError("a fragment has too many candidates")
    return Fragment(ufrag, password, tuple(candidates), ended)


def write_fragment(fragment: Fragment, mids: Sequence[str]) -> str:
    """The answer to a restart. `mids` are the media of the session; the first carries the bundle."""
    lines = [f"a=ice-ufrag:{fragment.ufrag}", f"a=ice-pwd:{fragment.password}"]
    lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 0", f"a=mid:{mids[0] if mids else '0'}"]
    lines += [f"a=candidate:{candidate}" for candidate in fragment.candidates]
    if fragment.ended:
        lines.append("a=end-of-candidates")
    return "\r\n".join(lines) + "\r\n"
