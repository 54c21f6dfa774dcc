"""Tokens that let a program without cookies onto `/ws/live`: signed (HS256), 60 seconds, single use. No HTTP.

A token is worth what the session is worth that it was minted in: when that ends, so does the token.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

import jwt

from offhook.desk.sessions import Sessions, Visitor
from offhook.foundation.clock import Clock
from offhook.foundation.errors import RefusedError
from offhook.foundation.people import Role
from offhook.web.ports import Claims

AUDIENCE = "offhook-desk"
LIFE_SECONDS = 60
CALLER = "caller"
ROLES = (CALLER, Role.OPERATOR.value, Role.SUPERVISOR.value)
_RANK = {CALLER: 0, Role.OPERATOR: 1, Role.SUPERVISOR: 2, Role.ADMIN: 3}
_REQUIRED = ["exp", "jti", "aud", "session", "role", "call"]


@dataclass(frozen=True, slots=True)
class DeskPass:
    """What a token opened: for whom, in which `role` (`caller`, `operator` or `supervisor`), on which call
    (empty: any). The visitor's person has no more than that role; a caller's is nobody's concern."""

    visitor: Visitor
    role: str
    call_id: str


class DeskTokens:
    """Mints and redeems them. `used` remembers which were redeemed, until they expire."""

    def __init__(self, secret: bytes, clock: Clock, used: Claims, sessions: Sessions | None) -> None:
        self._secret = secret
        self._clock = clock
        self._used = used
        self._sessions = sessions

    def mint(self, visitor: Visitor, role: str, call_id: str = "") -> str:
        """Raises RefusedError when the visitor's own role is less."""
        if role not in ROLES or _RANK[role] > _RANK[visitor.person.role]:
            raise RefusedError("your role may not take that one")
        claims = {
            "aud": AUDIENCE,
            "exp": int(self._clock.wall().timestamp()) + LIFE_SECONDS,
            "jti": secrets.token_urlsafe(16),
            "session": visitor.session,
            "role": role,
            "call": call_id,
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def is_one(self, token: str) -> bool:
        """Whether this is a desk token, good or no longer: not another of our tokens."""
        try:
            self._claims(token)
        except RefusedError:
            return False
        return True

    def redeem(self, token: str, role: str, call_id: str) -> DeskPass:
        """Once, for this role and call. Raises RefusedError, LimitError."""
        claims = self._claims(token)
        if claims["role"] != role or claims["call"] not in ("", call_id):
            raise RefusedError("the desk token is for another role or call")
        visitor = self._sessions.find(str(claims["session"])) if self._sessions is not None else None
        if visitor is None:
            raise RefusedError("whoever made this desk token is no longer logged in")
        if _RANK[role] > _RANK[visitor.person.role]:
            raise RefusedError("the role of whoever made this desk token is a lesser one now")
        left = float(claims["exp"]) - self._clock.wall().timestamp()
        if left <= 0 or not self._used.claim(str(claims["jti"]), left):
            raise RefusedError("the desk token is used or expired")
        most = Role.OPERATOR if role == CALLER else Role(role)
        return DeskPass(replace(visitor, person=replace(visitor.person, role=most)), role, call_id)

    def _claims(self, token: str) -> dict[str, str]:
        try:
            claims: dict[str, str] = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False},
            )
            float(claims["exp"])
        except (jwt.PyJWTError, ValueError, TypeError, UnicodeError, RecursionError):
            raise RefusedError("the desk token is not valid") from None
        return claims
