"""The one table: what each role may, on which calls; what is not there is refused."""

from __future__ import annotations

import pytest

from offhook.desk.roles import (
    COMMANDS,
    ROLES,
    STANCES,
    Action,
    Reach,
    may,
    may_command,
    may_on,
    may_stand,
    reach,
)
from offhook.foundation.people import LOCAL_PERSON, Person, Role, Stance

OPERATOR = Person("user_1", "Sara", Role.OPERATOR, ("support",))
SUPERVISOR = Person("user_2", "Omar", Role.SUPERVISOR, ())
ADMIN_ONLY = {Action.EDIT_USERS, Action.PUBLISH_AGENTS, Action.SEE_ALL_AUDIT, Action.USE_API}


def test_each_role_may_what_the_one_before_it_may() -> None:
    operator, supervisor, admin = (set(ROLES[role]) for role in Role)
    assert operator < supervisor < admin == set(Action)
    assert admin - supervisor == ADMIN_ONLY


def test_what_is_not_in_the_table_is_refused() -> None:
    assert not may(Role.OPERATOR, Action.DELETE_RECORDING)
    assert reach(Role.OPERATOR, Action.EDIT_USERS) is None
    assert not may_on(OPERATOR, Action.DELETE_RECORDING, "support", own=True)
    assert not may("caller", Action.SEE_CALL)  # type: ignore[arg-type]
    assert not may_command(LOCAL_PERSON, "format_disk", "support")


def test_operators_work_on_calls_of_the_agents_that_they_serve() -> None:
    for action in (Action.SEE_CALL, Action.LISTEN, Action.COACH, Action.TALK, Action.HANG_UP):
        assert may_on(OPERATOR, action, "support")
        assert not may_on(OPERATOR, action, "sales")
        assert not may_on(OPERATOR, action, "sales", own=True)
        assert may_on(SUPERVISOR, action, "sales")
    everywhere = Person("user_3", "Lee", Role.OPERATOR)
    nowhere = Person("user_4", "Ann", Role.OPERATOR, ())
    assert may_on(everywhere, Action.TALK, "sales")
    assert not may_on(nowhere, Action.SEE_CALL, "sales")


def test_operators_hear_and_export_what_they_sat_on() -> None:
    for action in (Action.HEAR_RECORDING, Action.EXPORT):
        assert reach(Role.OPERATOR, action) is Reach.OWN
        assert may_on(OPERATOR, action, "sales", own=True)
        assert not may_on(OPERATOR, action, "support")
        assert may_on(SUPERVISOR, action, "support")


@pytest.mark.parametrize("stance", list(Stance))
def test_every_stance_has_its_action(stance: Stance) -> None:
    assert stance in STANCES
    assert may_stand(OPERATOR, stance, "support")
    assert not may_stand(OPERATOR, stance, "sales")


def test_every_command_has_its_action() -> None:
    for command, action in COMMANDS.items():
        assert isinstance(action, Action), command
        assert may_command(OPERATOR, command, "support"), command
        assert not may_command(OPERATOR, command, "sales"), command
