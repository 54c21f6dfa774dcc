"""What every route takes: one table, default deny, that the gate (`web.gate`) obeys. Judges nobody itself."""

from __future__ import annotations

import re
from enum import StrEnum

from starlette.routing import compile_path

from offhook.desk.roles import Action


class Access(StrEnum):
    """Routes that need no person."""

    PUBLIC = "public"
    """Anyone; what it does is safe or guarded on its own."""
    VENDOR = "vendor"
    """The phone vendor; the route checks its signature before anything else."""
    CALLER = "caller"
    """Anyone, also a page of another site; the route checks where it comes from, and its call token."""


ACCESS: dict[tuple[str, str], Access | Action] = {
    ("GET", "/healthz"): Access.PUBLIC,
    ("GET", "/readyz"): Access.PUBLIC,
    ("GET", "/call"): Access.PUBLIC,
    ("GET", "/login"): Access.PUBLIC,
    ("GET", "/live"): Access.PUBLIC,
    ("GET", "/static/console/{path:path}"): Access.PUBLIC,
    ("GET", "/api/webrtc"): Access.CALLER,
    ("OPTIONS", "/api/webrtc"): Access.CALLER,
    ("POST", "/api/webrtc/offer"): Access.CALLER,
    ("OPTIONS", "/api/webrtc/offer"): Access.CALLER,
    ("PATCH", "/api/webrtc/{session}"): Access.CALLER,
    ("DELETE", "/api/webrtc/{session}"): Access.CALLER,
    ("OPTIONS", "/api/webrtc/{session}"): Access.CALLER,
    ("POST", "/whip"): Access.CALLER,
    ("OPTIONS", "/whip"): Access.CALLER,
    ("PATCH", "/whip/{session}"): Access.CALLER,
    ("DELETE", "/whip/{session}"): Access.CALLER,
    ("OPTIONS", "/whip/{session}"): Access.CALLER,
    ("POST", "/hooks/twilio/voice"): Access.VENDOR,
    ("GET", "/hooks/twilio/after"): Access.VENDOR,
    ("POST", "/hooks/twilio/after"): Access.VENDOR,
    ("POST", "/hooks/twilio/status"): Access.VENDOR,
    ("GET", "/"): Action.OPEN_CONSOLE,
    ("GET", "/calls"): Action.OPEN_CONSOLE,
    ("GET", "/calls/{call_id}"): Action.OPEN_CONSOLE,
    ("GET", "/desk"): Action.OPEN_CONSOLE,
    ("GET", "/desk/{call_id}"): Action.OPEN_CONSOLE,
    ("GET", "/api/live"): Action.SEE_CALL,
    ("POST", "/api/live/{call_id}/say"): Action.TALK,
    ("POST", "/api/live/{call_id}/instruct"): Action.COACH,
    ("POST", "/api/live/{call_id}/inject"): Action.TALK,
    ("POST", "/api/live/{call_id}/hold"): Action.TALK,
    ("POST", "/api/live/{call_id}/transfer"): Action.TRANSFER,
    ("POST", "/api/live/{call_id}/coach"): Action.COACH,
    ("GET", "/api/live/{call_id}/colleagues"): Action.TALK,
    ("POST", "/api/live/{call_id}/warm"): Action.TALK,
    ("POST", "/api/live/{call_id}/warm/accept"): Action.TALK,
    ("POST", "/api/live/{call_id}/warm/decline"): Action.TALK,
    ("POST", "/api/live/{call_id}/warm/connect"): Action.TALK,
    ("POST", "/api/live/{call_id}/warm/cancel"): Action.TALK,
    ("GET", "/routing"): Action.OPEN_CONSOLE,
    ("GET", "/queues"): Action.OPEN_CONSOLE,
    ("GET", "/api/routing"): Action.EDIT_AGENTS,
    ("POST", "/api/routing/try"): Action.EDIT_AGENTS,
    ("GET", "/api/queues"): Action.SEE_CALL,
    ("PUT", "/api/presence"): Action.TALK,
    ("POST", "/api/rings/{call_id}/accept"): Action.TALK,
    ("POST", "/api/rings/{call_id}/decline"): Action.TALK,
    ("PUT", "/api/operators/{user_id}"): Action.EDIT_USERS,
    ("GET", "/api/call-backs"): Action.SEE_CALL,
    ("PUT", "/api/call-backs/{wish_id}"): Action.TALK,
    ("GET", "/playground"): Action.OPEN_CONSOLE,
    ("GET", "/users"): Action.OPEN_CONSOLE,
    ("GET", "/audit"): Action.OPEN_CONSOLE,
    ("GET", "/metrics"): Action.SEE_HOUSE,
    ("GET", "/api/openapi.json"): Action.SEE_HOUSE,
    ("GET", "/api/session"): Access.PUBLIC,
    ("POST", "/api/session"): Access.PUBLIC,
    ("DELETE", "/api/session"): Access.PUBLIC,
    ("PUT", "/api/session/password"): Action.OPEN_CONSOLE,
    ("GET", "/api/users"): Action.EDIT_USERS,
    ("POST", "/api/users"): Action.EDIT_USERS,
    ("GET", "/api/users/{user_id}"): Action.EDIT_USERS,
    ("PATCH", "/api/users/{user_id}"): Action.EDIT_USERS,
    ("DELETE", "/api/users/{user_id}"): Action.EDIT_USERS,
    ("PUT", "/api/users/{user_id}/password"): Action.EDIT_USERS,
    ("DELETE", "/api/users/{user_id}/sessions"): Action.EDIT_USERS,
    ("GET", "/api/audit"): Action.SEE_AUDIT,
    ("GET", "/api/audit/verification"): Action.SEE_ALL_AUDIT,
    ("POST", "/api/desk-tokens"): Action.OPEN_CONSOLE,
    ("GET", "/api/agents"): Access.PUBLIC,
    ("GET", "/api/providers"): Action.OPEN_CONSOLE,
    ("POST", "/api/call-tokens"): Action.OPEN_CONSOLE,
    ("POST", "/api/token"): Access.PUBLIC,
    ("POST", "/api/dispatch-agent"): Action.PLACE_CALL,
    ("GET", "/api/voices"): Action.OPEN_CONSOLE,
    ("POST", "/api/voices"): Action.EDIT_VOICES,
    ("POST", "/api/playground/speech"): Action.USE_VOICES,
    ("GET", "/api/clips"): Action.OPEN_CONSOLE,
    ("POST", "/api/clips"): Action.EDIT_VOICES,
    ("GET", "/api/clips/{name}"): Action.OPEN_CONSOLE,
    ("DELETE", "/api/clips/{name}"): Action.EDIT_VOICES,
    ("GET", "/api/desk/settings"): Action.OPEN_CONSOLE,
    ("PUT", "/api/desk/settings"): Action.OPEN_CONSOLE,
    ("GET", "/api/calls"): Action.SEE_CALL,
    ("POST", "/api/calls"): Action.PLACE_CALL,
    ("GET", "/api/calls/{call_id}"): Action.SEE_CALL,
    ("POST", "/api/calls/{call_id}/hang-up"): Action.HANG_UP,
    ("GET", "/api/calls/{call_id}/evidence"): Action.EXPORT,
    ("POST", "/api/calls/{call_id}/entities"): Action.SEE_CALL,
    ("GET", "/api/node-key"): Access.PUBLIC,
    ("POST", "/api/calls/{call_id}/wrap-up"): Action.TALK,
    ("GET", "/api/calls/{call_id}/transcript"): Action.SEE_CALL,
    ("GET", "/api/calls/{call_id}/recording"): Action.HEAR_RECORDING,
    ("DELETE", "/api/calls/{call_id}/recording"): Action.DELETE_RECORDING,
    ("GET", "/api/calls/{call_id}/peaks"): Action.SEE_CALL,
    ("GET", "/v1/models"): Action.USE_API,
    ("GET", "/v1/models/{model}"): Action.USE_API,
    ("POST", "/v1/audio/speech"): Action.USE_API,
    ("POST", "/v1/audio/transcriptions"): Action.USE_API,
    ("POST", "/v1/realtime/client_secrets"): Action.USE_API,
}
"""Every route, by method and template, with what it takes: an action of `desk.roles`, judged by the gate, or
no person at all. On a route of one call the route itself judges whether the person may on that call (see
`web.people`). Media sockets have their own doors."""

_RULES: list[tuple[str, re.Pattern[str], Access | Action]] = [
    (method, compile_path(template)[0], access) for (method, template), access in ACCESS.items()
]


def access_of(method: str, path: str) -> Access | Action | None:
    """What a request takes, by the table; None: it is not there, and only an admin learns as much."""
    wanted = "GET" if method == "HEAD" else method
    for allowed, pattern, access in _RULES:
        if allowed == wanted and pattern.match(path):
            return access
    return None
