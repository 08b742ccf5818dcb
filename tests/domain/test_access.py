from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service.domain.access import PersonSession, Role, Session, parse_group_roles, role_of

UNTIL = datetime(2026, 11, 16, 12, tzinfo=UTC)


def test_groups_have_the_roles_that_are_written() -> None:
    assert parse_group_roles("cn=ops,ou=eng=operator; admins = admin;;*=viewer") == {
        "cn=ops,ou=eng": Role.OPERATOR,
        "admins": Role.ADMIN,
        "*": Role.VIEWER,
    }


@pytest.mark.parametrize("text", ["admins", "=admin", "admins=root", "admins=admin; eng"])
def test_what_names_no_role_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write groups and roles"):
        parse_group_roles(text)


def test_a_group_has_one_role() -> None:
    with pytest.raises(ValueError, match="'eng' stands there with two roles"):
        parse_group_roles("eng=admin; *=viewer; eng = operator")
    assert parse_group_roles("eng=admin; eng = admin") == {"eng": Role.ADMIN}


def test_the_largest_role_counts_and_everybody_is_in_no_group() -> None:
    roles = parse_group_roles("eng=operator; admins=admin; *=viewer")
    assert role_of(["eng", "admins"], roles) is Role.ADMIN
    assert role_of([], roles) is Role.VIEWER
    assert role_of(["*", "other"], parse_group_roles("eng=operator")) is None


@pytest.mark.parametrize("name", ["ann", "Ünal-Person-12", "<b>", "a.b@example.com"])
def test_a_session_is_read_as_it_was_written_and_is_no_tokens(name: str) -> None:
    session = PersonSession("subject-1", name, ("cn=eng,ou=groups", "*"), UNTIL)
    assert PersonSession.parse(str(session)) == session
    assert Session.parse(str(session)) is None
    assert not session.holds(UNTIL)
