"""Who may do what: one table of roles, what each route and live command is, and `may`. Default deny, no I/O.

What a call's reach means: ALL calls; ASSIGNED calls, those of the agents that the person serves; OWN calls,
those that the person had a seat on. Routes are listed in `web.auth`, which names these actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from offhook.foundation.people import EVERY_AGENT, Person, Role, Stance


class Action(StrEnum):
    """Something that a person may do. With a call, where that says so."""

    OPEN_CONSOLE = "open_console"
    """Pages, and what they show of no call: agents, providers, voices."""
    SEE_CALL = "see_call"
    """A call, live or kept: its list entry, transcript, timeline, levels."""
    LISTEN = "listen"
    """Hear a live call, heard by nobody."""
    COACH = "coach"
    """Give the agent of a live call hidden instructions; use the coach of one's own ear."""
    TALK = "talk"
    """Join, take over, hand back, hold, speak or play a clip in the agent's voice."""
    HANG_UP = "hang_up"
    TRANSFER = "transfer"
    """Put the caller of a live call through to a number, which may cost money."""
    PLACE_CALL = "place_call"
    """Have the house call a phone, which costs money."""
    HEAR_RECORDING = "hear_recording"
    EXPORT = "export"
    """Take a call out of the house: evidence, with its sound."""
    DELETE_RECORDING = "delete_recording"
    USE_VOICES = "use_voices"
    """Have voices speak in the playground."""
    EDIT_VOICES = "edit_voices"
    """Clone voices, keep and delete prepared clips."""
    EDIT_AGENTS = "edit_agents"
    """Change agents, prompts and routing as drafts."""
    PUBLISH_AGENTS = "publish_agents"
    SEE_HOUSE = "see_house"
    """Metrics and the description of the API."""
    USE_API = "use_api"
    """The doors for programs: models, speech, sessions without a call of this house."""
    SEE_AUDIT = "see_audit"
    """What was done on calls, and one's own deeds."""
    SEE_ALL_AUDIT = "see_all_audit"
    """All deeds, also logins and changes of users; check the chain."""
    EDIT_USERS = "edit_users"


class Reach(StrEnum):
    """On which calls a role may do something."""

    ALL = "all"
    ASSIGNED = "assigned"
    OWN = "own"


_OPERATOR: dict[Action, Reach] = {
    Action.OPEN_CONSOLE: Reach.ALL,
    Action.USE_VOICES: Reach.ALL,
    Action.SEE_CALL: Reach.ASSIGNED,
    Action.LISTEN: Reach.ASSIGNED,
    Action.COACH: Reach.ASSIGNED,
    Action.TALK: Reach.ASSIGNED,
    Action.HANG_UP: Reach.ASSIGNED,
    Action.TRANSFER: Reach.ASSIGNED,
    Action.HEAR_RECORDING: Reach.OWN,
    Action.EXPORT: Reach.OWN,
}
_SUPERVISOR: dict[Action, Reach] = dict.fromkeys(
    (
        *_OPERATOR,
        Action.PLACE_CALL,
        Action.DELETE_RECORDING,
        Action.EDIT_VOICES,
        Action.EDIT_AGENTS,
        Action.SEE_HOUSE,
        Action.SEE_AUDIT,
    ),
    Reach.ALL,
)
ROLES: Mapping[Role, Mapping[Action, Reach]] = {
    Role.OPERATOR: _OPERATOR,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMIN: dict.fromkeys(Action, Reach.ALL),
}
"""The table. An action that a role's row does not name is refused."""

STANCES: Mapping[Stance, Action] = {
    Stance.LISTEN: Action.LISTEN,
    Stance.COACH: Action.COACH,
    Stance.JOIN: Action.TALK,
    Stance.TAKE_OVER: Action.TALK,
    Stance.CONSULT: Action.TALK,  # and only who was asked
}
"""What each stance takes; `stance` messages are judged by this."""

COMMANDS: Mapping[str, Action] = {
    "audio": Action.LISTEN,  # heard by others only in a stance that took TALK
    "stance": Action.LISTEN,  # and what STANCES says
    "hand_back": Action.TALK,
    "hold": Action.TALK,
    "ai_speaks": Action.TALK,
    "mute": Action.LISTEN,
    "say": Action.TALK,
    "inject": Action.TALK,
    "transfer": Action.TRANSFER,
    "warm": Action.TALK,
    "warm_act": Action.TALK,  # and only who was asked, or asked
    "instruct": Action.COACH,
    "coach_now": Action.COACH,
    "coach": Action.LISTEN,  # how one's own ear is set
    "card": Action.LISTEN,
    "card.say": Action.TALK,
    "pin": Action.SEE_CALL,
    "end": Action.HANG_UP,
    "ping": Action.SEE_CALL,
    "leave": Action.SEE_CALL,
}
"""What each message of `/ws/live` takes, by its `type`; `card` with the action `say` is `card.say`."""


def may(role: Role, action: Action) -> bool:
    """Whether a role may do this at all, on some calls at least."""
    return action in ROLES.get(role, {})


def reach(role: Role, action: Action) -> Reach | None:
    """On which calls; None: on none."""
    return ROLES.get(role, {}).get(action)


def may_on(person: Person, action: Action, agent: str, *, own: bool = False) -> bool:
    """Whether a person may do this on a call that `agent` answers. `own`: the person had a seat on it."""
    match reach(person.role, action):
        case Reach.ALL:
            return True
        case Reach.ASSIGNED:
            return serves(person, agent)
        case Reach.OWN:
            return own
        case None:
            return False


def serves(person: Person, agent: str) -> bool:
    """Whether calls of this agent are assigned to a person."""
    return EVERY_AGENT in person.agents or agent in person.agents


def may_command(person: Person, command: str, agent: str) -> bool:
    """Whether a person may send this message on a live call of `agent`; one that is not listed: no."""
    action = COMMANDS.get(command)
    return action is not None and may_on(person, action, agent)


def may_stand(person: Person, stance: Stance, agent: str) -> bool:
    """Whether a person may take this stance on a live call of `agent`."""
    return may_on(person, STANCES[stance], agent)
