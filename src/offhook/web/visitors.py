"""Who sends a request: a session's cookie, the API key, or this machine. Immediate; judges no roles.

With users configured it takes a cookie or the key. Without any, it is this machine alone, or, once an API key
is set, whoever has the key (and nobody without it).
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import cookie_parser

from offhook.desk.roles import Action, may
from offhook.desk.sessions import KEY, LOCAL, Sessions, Visitor
from offhook.foundation.people import LOCAL_PERSON, Person
from offhook.web.origin import Origins, is_local
from offhook.web.ports import Bucket

COOKIE = "offhook_session"
_LOG_IN = "log in first"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody does not get in: an HTTP status and a sentence."""

    status: int
    reason: str
    code: str = ""


def presented_key(headers: Mapping[str, str]) -> str | None:
    """The key in `Authorization: Bearer …`, or the password of `Basic` (which a browser asks for)."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return None
    return None


def presented_cookie(headers: Mapping[str, str]) -> str:
    """The secret of a session, or nothing."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


class Visitors:
    """`guesses` counts wrong keys by address. `public_url`: the server is reached from outside, perhaps
    through a proxy on this machine that makes everyone look local, so that no address opens the console.
    Without `sessions` there are no users. Headers are looked up in lower case."""

    def __init__(
        self, sessions: Sessions | None, api_key: str, guesses: Bucket, public_url: str = ""
    ) -> None:
        self._sessions = sessions
        self._key = api_key.encode()
        self._guesses = guesses
        self._public = bool(public_url)
        self._origins = Origins(public_url)

    @property
    def has_users(self) -> bool:
        """Whether people log in here."""
        return self._sessions is not None and self._sessions.has_users

    def of(self, headers: Mapping[str, str], peer: str) -> Visitor | Refusal:
        """Whose request this is. A cookie that opens nothing counts as none."""
        if self._sessions is not None and (secret := presented_cookie(headers)):
            found = self._sessions.visitor(secret)
            if found is not None:
                return found
        if self.has_users:
            return self._by_key(headers, peer, _LOG_IN, "login_wanted")
        if self._key:
            return self._by_key(headers, peer, "this needs the API key as a bearer token", "")
        if self._public:
            return Refusal(403, "with public_url set, the console and API need a user or OFFHOOK_API_KEY")
        if is_local(peer, headers):
            return Visitor(LOCAL_PERSON, LOCAL)
        return Refusal(403, "this answers on its own machine only, unless there are users or OFFHOOK_API_KEY")

    def of_socket(self, headers: Mapping[str, str], peer: str) -> Visitor | Refusal:
        """As `of`, for the upgrade to a WebSocket, which other sites' pages may ask a browser for, too."""
        if not self._origins.allows(headers.get("origin"), headers.get("host", "")):
            return Refusal(403, "this socket is not opened from a page of another site")
        return self.of(headers, peer)

    def person_of(self, headers: Mapping[str, str], peer: str) -> Person | Refusal:
        """As `of_socket`, for who needs no session."""
        found = self.of_socket(headers, peer)
        return found.person if isinstance(found, Visitor) else found

    def stranger(self, headers: Mapping[str, str], peer: str) -> tuple[int, str] | None:
        """Why this may not use the doors for programs: a status and a sentence; None: it may."""
        found = self.of(headers, peer)
        if isinstance(found, Refusal):
            return found.status, found.reason
        return None if may(found.person.role, Action.USE_API) else (403, "your role may not do this")

    def _by_key(self, headers: Mapping[str, str], peer: str, wanted: str, code: str) -> Visitor | Refusal:
        key = presented_key(headers)
        if key is None or not self._key:
            return Refusal(401, wanted, code)
        if hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self._key):
            return Visitor(LOCAL_PERSON, KEY)  # never throttled: behind a proxy all share one address
        if not self._guesses.allow(peer):
            return Refusal(429, "too many wrong keys from this address; wait a minute")
        return Refusal(401, "the API key is wrong", code)
