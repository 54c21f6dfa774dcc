"""Client secrets (`ek_…`): signed, short-lived keys for one door, which carry a session's settings. No HTTP.

Nothing is kept: any process of the house that has the signing secret can read them.
"""

from __future__ import annotations

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import jwt

from offhook.foundation.clock import Clock
from offhook.foundation.errors import LimitError, RefusedError

PREFIX = "ek_"
AUDIENCE = "offhook-realtime"
MAX_BYTES = 8_192
"""A secret goes into a header, or into the name of a subprotocol."""
_MAX_SESSION = 1 << 18


class ClientSecrets:
    """Mints and reads them. One secret may begin several sessions until it expires."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def mint(self, session: Mapping[str, Any], seconds: int) -> tuple[str, int]:
        """A secret for sessions like this, and the Unix time at which it expires. Raises LimitError when
        the session's settings are too long for one."""
        expires = int(self._clock.wall().timestamp()) + seconds
        packed = urlsafe_b64encode(zlib.compress(json.dumps(session).encode(), 9)).decode()
        claims = {"aud": AUDIENCE, "exp": expires, "session": packed}
        made = PREFIX + jwt.encode(claims, self._secret, algorithm="HS256")
        if len(made) > MAX_BYTES:
            raise LimitError("the session is too long for a client secret; send it by session.update")
        return made, expires

    def read(self, secret: str) -> Mapping[str, Any]:
        """The session's settings. Raises RefusedError."""
        try:
            claims = jwt.decode(
                secret.removeprefix(PREFIX),
                self._secret,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={"require": ["exp", "aud", "session"], "verify_exp": False, "verify_iat": False},
            )
            expires, packed = float(claims["exp"]), str(claims["session"])
            raw = zlib.decompressobj().decompress(urlsafe_b64decode(packed), _MAX_SESSION)
            session = json.loads(raw)
        except (jwt.PyJWTError, zlib.error, ValueError, TypeError, RecursionError):
            raise RefusedError("the client secret is not valid") from None
        if expires <= self._clock.wall().timestamp():
            raise RefusedError("the client secret has expired")
        return session if isinstance(session, dict) else {}
