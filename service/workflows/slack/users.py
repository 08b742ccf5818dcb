"""Who in Slack may do what: one list, and a default for all who are not on it."""

from __future__ import annotations

from service.domain.slack.requests import Person, SlackRole, SlackUser, SlackUsers
from service.domain.values.resources import Resource
from service.workflows.configuration.administer import Author, Draft, Kind, change, create
from service.workflows.ports.configuration import Resources
from service.workflows.ports.unit_of_work import UnitOfWork

SLACK_USERS = "slack-users"
"""The name of the one list."""


class SlackUserLists(Kind[SlackUsers]):
    noun, prefix = "slack users", "slu"

    def store(self, uow: UnitOfWork) -> Resources[SlackUsers]:
        return uow.slack_users


async def slack_users(uow: UnitOfWork) -> Resource[SlackUsers] | None:
    """The stored list, None before anybody has written one."""
    stored = await uow.slack_users.all()
    return stored[0] if stored else None


async def put_slack_users(uow: UnitOfWork, users: SlackUsers, author: Author) -> Resource[SlackUsers]:
    """The whole list anew."""
    draft = Draft(SLACK_USERS, {}, users)
    stored = await slack_users(uow)
    if stored is None:
        return await create(uow, SlackUserLists(), draft, author)
    return await change(uow, SlackUserLists(), stored, draft, author)


async def known_user(uow: UnitOfWork, person: Person, default: SlackRole) -> SlackUser:
    """What somebody in Slack may do."""
    stored = await slack_users(uow)
    return (stored.spec if stored else SlackUsers()).find(person.user, default)
