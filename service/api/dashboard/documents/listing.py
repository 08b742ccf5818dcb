"""A page that lists the resources of one kind: how each stands there, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.responses import Response

from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import PartLinks
from service.domain.access import Caller, Role

PAGE = 50


@dataclass(frozen=True, slots=True)
class ResourceLine:
    """A resource in a list. `tone` colours `word`; `lines` say what it is; `acts` are forms: a path and words.

    `links` lead to further pages about it, for everybody. `address` is that of its form, `page` that of its page where
    it has one: the name leads there.
    """

    name: str
    address: str
    lines: Sequence[str]
    tone: str = ""
    word: str = ""
    acts: Sequence[tuple[str, str]] = ()
    links: Sequence[tuple[str, str]] = ()
    page: str = ""


@dataclass(frozen=True, slots=True)
class ResourceListing:
    """A page of resources of one kind, and what to say where there is none."""

    heading: str
    about: str
    path: str
    noun: str
    none: str
    place: str
    areas: Sequence[tuple[str, str]]
    needs: Role = Role.ADMIN

    def page(
        self, caller: Caller, lines: Sequence[ResourceLine], unreadable: Sequence[str], part: PartLinks
    ) -> Response:
        content = {
            "areas": self.areas,
            "area": self.path,
            "heading": self.heading,
            "about": self.about,
            "lines": lines,
            "unreadable": unreadable,
            "part": part,
            "empty": self.none,
            "noun": self.noun,
            "may_write": caller.role.allows(self.needs),
            "additions": (),
        }
        return dashboard_page("resource_list.html.j2", self.place, caller, content)
