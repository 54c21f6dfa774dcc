"""What can be set for LiveKit rooms. Values only."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from offhook.settings.vendors import Section


class EgressBucket(Section):
    """Where LiveKit's egress service puts its files: storage that speaks S3. What is empty is left to the
    service's own configuration."""

    bucket: str = Field(min_length=1)
    region: str = ""
    endpoint: str = ""
    access_key: str = ""
    secret: SecretStr = SecretStr("")
    path_style: bool = False


class LiveKit(Section):
    """A LiveKit server whose rooms Offhook's agents join. `LIVEKIT_URL`, `LIVEKIT_API_KEY` and
    `LIVEKIT_API_SECRET` set the first three; without all of them there are no rooms."""

    url: str = ""
    """Where this machine reaches the server: `ws://`, `wss://`, `http://` or `https://`."""
    api_key: str = ""
    api_secret: SecretStr | None = None
    public_url: str = ""
    """Where browsers reach it; empty: the same address."""
    agent_name: str = Field(default="offhook", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    """What rooms ask for to get an agent of this house."""
    join: Literal["dispatch", "direct"] = "dispatch"
    """`dispatch`: Offhook registers as an agent worker, and the server sends it into rooms. `direct`: it
    joins rooms by itself when a token is asked for, or a dispatch."""
    answers: Literal["everyone", "caller"] = "everyone"
    """Whose turns the agent answers, where several people are in the room. It hears all of them."""
    guests: int = Field(default=8, ge=0, le=32)
    """People besides the caller who have a leg of their own; more are in the room, and not heard."""
    token_minutes: int = Field(default=60, ge=1, le=1440)
    """How long a participant's token may be used to enter; who is in the room stays."""
    wait_seconds: float = Field(default=60.0, ge=1, le=3600)
    """How long an agent waits in a room for the first human."""
    rejoin_seconds: float = Field(default=30.0, ge=0, le=300)
    """How long a call waits for a caller, or a server, that was lost."""
    egress: bool = False
    """Have LiveKit's egress service record every room call as well: the sound of all in one file."""
    egress_path: str = Field(default="offhook/{call_id}.ogg", pattern=r"^[^\x00-\x1f]{1,512}\.(ogg|mp3|mp4)$")
    """Its file, as the service takes it (`{room_name}`, `{time}`), and with `{call_id}`."""
    egress_s3: EgressBucket | None = None
    """Where it is put; without it, where the service's own configuration says."""

    @field_validator("url", "public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return socket_address(value)

    @property
    def complete(self) -> bool:
        """Whether there is a server to talk to."""
        return bool(self.url and self.api_key and self.api_secret and self.api_secret.get_secret_value())


def socket_address(value: str) -> str:
    """A LiveKit server's address with the scheme of a WebSocket. Raises ValueError."""
    try:
        parts = urlsplit(value)
        good = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0 and not parts.query
    except ValueError:
        good = False
    if not value:
        return ""
    if not good:
        raise ValueError("a wss:// or ws:// address, like wss://rooms.example.com")
    scheme, _, rest = value.partition("://")
    return f"{_SCHEMES[scheme]}://{rest.rstrip('/')}"


_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
