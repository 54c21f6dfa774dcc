"""Tokens that let a browser place one call: signed (HS256), 60 seconds, single use. No HTTP."""

from __future__ import annotations

import os
import secrets
from collections import OrderedDict
from pathlib import Path

import jwt

from offhook.foundation.clock import Clock
from offhook.foundation.errors import LimitError, RefusedError, SettingsError

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


class CallTokens:
    """Mints and redeems call tokens. At most `size` redeemed ids are remembered, until they expire."""

    def __init__(self, secret: bytes, clock: Clock, size: int = 100_000) -> None:
        self._secret = secret
        self._clock = clock
        self._size = size
        self._used: OrderedDict[str, float] = OrderedDict()

    def mint(self, agent: str) -> str:
        """A token for one call to `agent`."""
        now = int(self._clock.wall().timestamp())
        claims = {
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + LIFE_SECONDS,
            "jti": secrets.token_urlsafe(16),
            "agent": agent,
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def redeem(self, token: str) -> str:
        """The agent that the token was minted for, once. Raises RefusedError, LimitError."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={"require": ["exp", "jti", "aud", "agent"], "verify_exp": False, "verify_iat": False},
            )
            expires, jti, agent = float(claims["exp"]), str(claims["jti"]), str(claims["agent"])
        except (jwt.PyJWTError, ValueError, TypeError, UnicodeError, RecursionError):
            raise RefusedError("the call token is not valid") from None
        now = self._clock.wall().timestamp()
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
        if expires + _LEEWAY_SECONDS <= now or jti in self._used:
            raise RefusedError("the call token is used or expired")
        if len(self._used) >= self._size:
            raise LimitError("too many calls are beginning at once")
        self._used[jti] = expires + _LEEWAY_SECONDS
        return agent
