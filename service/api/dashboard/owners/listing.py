"""`/pages/owners`: everything that can have an owner, what it cost this month, and what has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from service.api.dashboard.figures import dollars
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import AskedPartDep
from service.api.dashboard.session import SignedInDep
from service.api.dashboard.spend.frame import AREAS, OWNERS, PLACE, Filter, chosen_source, without_source
from service.api.http.deps import NowDep, UowDep
from service.api.http.listing import part_by_place
from service.api.spend.grouping import ATTRIBUTED, OWNER, TAG, attributions, read_grouping
from service.domain.access import Role
from service.domain.sources.ownership import NOBODY
from service.domain.spend.attribution import Attribution
from service.domain.values.periods import Window
from service.domain.values.plain_text import percentage
from service.domain.values.scopes import Dimension
from service.domain.values.utc import DAY, day_start
from service.workflows.dashboard.owned_spend import MemberSpend, OwnedSpend, owned_spend

router = APIRouter(include_in_schema=False)

PAGE = 50
BY_SPEND = ("Those that cost more", "Those that cost less")
KINDS: Mapping[Dimension, str] = {
    Dimension.WORKSPACE: "Workspace",
    Dimension.API_KEY: "API key",
    Dimension.ACTOR: "Person",
}
"""Words for what can have an owner."""


@dataclass(frozen=True, slots=True)
class OwnersAddress:
    """The page's address: of which source, what lacks (`owner`, or a tag such as `tag:team`), and a part of a name."""

    source: Filter = None
    without: Annotated[str, Query(max_length=100, pattern=rf"^({ATTRIBUTED})?$")] = ""
    named: Annotated[str, Query(max_length=200)] = ""

    def address(self, **changed: str) -> str:
        query = {"source": self.source or "", "without": self.without, "named": self.named, **changed}
        return f"{OWNERS}?{urlencode({key: value for key, value in query.items() if value})}"

    def shows(self, one: MemberSpend) -> bool:
        return self._lacks(one) and self.named.strip().lower() in f"{one.seen.name}\n{one.member.id}".lower()

    def _lacks(self, one: MemberSpend) -> bool:
        if not self.without:
            return True
        return one.owner == NOBODY if self.without == OWNER else self.without.removeprefix(TAG) not in one.tags


@router.head(OWNERS)  # probes ask so
@router.get(OWNERS)
async def list_owners(
    caller: SignedInDep, uow: UowDep, now: NowDep, part: AskedPartDep, asked: Annotated[OwnersAddress, Depends()]
) -> Response:
    chosen = await chosen_source(uow, asked.source)
    if chosen is None:
        return without_source(caller)
    source = chosen.source
    lacking = asked.without or OWNER
    grouping = await read_grouping(uow, source.id, lacking)
    found = await owned_spend(uow, source.id, _this_month(now), grouping.attribution or Attribution({}, {}))
    shown = part_by_place(f"owners without {asked.without}", [*filter(asked.shows, found.members)], PAGE, part.cursor)
    receivers = await uow.receivers.named()
    workspaces = {one.member.id: one.seen.name for one in found.members if one.member.dimension is Dimension.WORKSPACE}
    content = {
        "areas": AREAS,
        "area": OWNERS,
        "source": source.name,
        "sources": chosen.links(OWNERS),
        "simulated": chosen.is_simulated,
        "asked": asked,
        "filters": _filters(asked, [OWNER, *await attributions(uow)]),
        "total": dollars(found.total),
        "nobody": dollars(found.nobody),
        "share": _share(found),
        "noun": _noun(lacking),
        "lines": [_line(one, receivers, workspaces) for one in shown.items],
        "part": part.links(OWNERS, shown, BY_SPEND),
        "is_all": asked == OwnersAddress(asked.source),
        "may_write": caller.role.allows(Role.ADMIN),
    }
    return dashboard_page("owners.html.j2", PLACE, caller, content)


def _this_month(now: datetime) -> Window:
    today = day_start(now)
    return Window(today.replace(day=1), today + DAY)


def _filters(asked: OwnersAddress, ways: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Returns the words of each choice, its address, and whether it is chosen."""
    without = [(f"Without {_noun(way)}", way) for way in dict.fromkeys(ways)]
    return [(words, asked.address(without=way), way == asked.without) for words, way in [("All", ""), *without]]


def _noun(way: str) -> str:
    return "an owner" if way == OWNER else way.removeprefix(TAG)


def _share(found: OwnedSpend) -> str:
    return percentage(found.nobody.ratio_to(found.total) * 100) if found.total else ""


def member_address(source_id: str, member: str) -> str:
    """Returns the address of the form about one member, such as "workspace:default"."""
    return f"{OWNERS}/edit?{urlencode({'source': source_id, 'member': member})}"


def _line(one: MemberSpend, receivers: Mapping[str, str], workspaces: Mapping[str, str]) -> Mapping[str, object]:
    workspace, kind = workspaces.get(one.seen.workspace, one.seen.workspace), KINDS[one.member.dimension]
    inherited = {tag: value for tag, value in one.tags.items() if one.own.tags.get(tag) != value}
    return {
        "name": one.seen.name or one.member.id,
        "kind": f"{kind} in {workspace}" if workspace else kind,
        "address": member_address(one.own.source_id, str(one.member)),
        "owner": receivers.get(one.own.owner, ""),
        "tags": _tags(one.own.tags),
        "inherited": ", ".join([*([] if one.own.owner else _named(one.owner, receivers)), *_tags(inherited)]),
        "is_nobodys": one.owner == NOBODY,
        "spend": dollars(one.spend),
    }


def _tags(tags: Mapping[str, str]) -> list[str]:
    return [f"{tag}={value}" for tag, value in sorted(tags.items())]


def _named(owner: str, receivers: Mapping[str, str]) -> list[str]:
    return [receivers[owner]] if owner in receivers else []
