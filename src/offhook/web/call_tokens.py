"""Tokens that let a browser place one call: signed (HS256), 60 seconds, single use. No HTTP."""

from __future__ import annotations

import os
import secrets
from collections import OrderedDict
from pathlib import Path

import jwt

from offhook.foundation.clock import Clock
from offhook.foundation.errors import LimitError, RefusedError, SettingsError
from offhook.web.ports import Claims

AUDIENCE = "offhook-call"
LIFE_SECONDS = 60
_LEEWAY_SECONDS = 30
_SECRET_BYTES = 32


def load_secret(path: Path) -> bytes:
    """The signing secret of this data directory; made on first use, readable by the owner only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        found = path.read_bytes()
        if len(found) != _SECRET_BYTES:
            raise SettingsError(
                f"{path.name} in the data directory is damaged: delete it and start again"
            ) from None
        return found
    made = secrets.token_bytes(_SECRET_BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(made)
    return made


class UsedIds:
    """Implements Claims for one process: at most `size` ids are remembered, until they expire."""

    def __init__(self, clock: Clock, size: int = 100_000) -> None:
        self._clock = clock
        self._size = size
        self._used: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._used)

    def claim(self, name: str, seconds: float) -> bool:
        """Whether this is the first claim to the name within the `seconds` of an earlier one. The oldest
        claims are assumed to expire first. Raises LimitError when too many are remembered."""
        now = self._clock.wall().timestamp()
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
        if name in self._used:
            return False
        if len(self._used) >= self._size:
            raise LimitError("too many calls are beginning at once")
        self._used[name] = now + seconds
        return True


class CallTokens:
    """Mints and redeems call tokens. `used` remembers which were redeemed, until they expire."""

    def __init__(self, secret: bytes, clock: Clock, used: Claims | None = None) -> None:
        self._secret = secret
        self._clock = clock
        self._used = UsedIds(clock) if used is None else used

    def mint(self, agent: str, room: str = "") -> str:
        """A token for one call to `agent`; with a `room` it opens this room of LiveKit's, too."""
        now = int(self._clock.wall().timestamp())
        claims = {
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + LIFE_SECONDS,
            "jti": secrets.token_urlsafe(16),
            "agent": agent,
            **({"room": room} if room else {}),
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def peek(self, token: str) -> str:
        """The agent that the token was minted for; it stays good. Raises RefusedError."""
        agent, _, left, _ = self._read(token)
        if left <= 0:
            raise RefusedError("the call token is used or expired")
        return agent

    def room_of(self, token: str) -> str:
        """The room that the token opens; empty for none. Raises RefusedError."""
        return self._read(token)[3]

    def redeem(self, token: str) -> str:
        """The agent that the token was minted for, once. Raises RefusedError, LimitError."""
        agent, jti, left, _ = self._read(token)
        if left <= 0 or not self._used.claim(jti, left):
            raise RefusedError("the call token is used or expired")
        return agent

    def _read(self, token: str) -> tuple[str, str, float, str]:
        """Agent, id, how long it is good for, and its room. Raises RefusedError."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={"require": ["exp", "jti", "aud", "agent"], "verify_exp": False, "verify_iat": False},
            )
            expires, jti, agent = float(claims["exp"]), str(claims["jti"]), str(claims["agent"])
            room = str(claims.get("room", ""))
        except (jwt.PyJWTError, ValueError, TypeError, UnicodeError, RecursionError):
            raise RefusedError("the call token is not valid") from None
        return agent, jti, expires + _LEEWAY_SECONDS - self._clock.wall().timestamp(), room
