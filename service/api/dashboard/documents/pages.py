"""The pages to add, change and delete resources of one kind. What is written goes by REST's own rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from service.api.dashboard.documents.controls import Document, Parts
from service.api.dashboard.documents.reading import Fields, read_document
from service.api.dashboard.documents.refused import TAKEN_BACK, FormRefused, flaws_of, status_of
from service.api.dashboard.documents.showing import NO_FLAWS, Flaws, differences, show_form
from service.api.dashboard.documents.writing import require_version, stored_document, write_document
from service.api.dashboard.forms import AGAIN, FormDep
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.session import SignedInDep, our_page, sender
from service.api.http.configured import Shape
from service.api.http.deps import IdOrName, PortsDep, UowDep
from service.api.http.pages import DASHBOARD_HEADERS
from service.domain.access import Caller, Role
from service.domain.values.errors import StaleVersion
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import Author, ResourceKind, delete
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

Spec = TypeVar("Spec")


def _nothing(_: Document) -> str:
    return ""


def _as_it_is(document: Document, _: Mapping[str, str]) -> Document:
    return document


@dataclass(frozen=True, slots=True)
class ResourcePages(Generic[Spec]):
    """`path` is that of the list, and `place` its name among the pages; a written resource leads to `leads_to`.

    `parts` returns the controls for a document, `fresh` is what a new one begins with by the query of its address, and
    `advice` stands above it. `extended` adds to a stored one what the query asks for, as the links of `additions` do:
    each is the query's value and the words for it.
    """

    path: str
    place: str
    kind: ResourceKind[Spec]
    shape: Shape[Spec, Any, Any]
    parts: Callable[[UnitOfWork, Document], Awaitable[Parts]]
    fresh: Callable[[Mapping[str, str]], Document]
    leads_to: Callable[[Resource[Spec]], str]
    needs: Role = Role.ADMIN
    opens: Role | None = None
    """Who may open the form without saving it, to try it; None: only who may save it."""
    advice: str = ""
    extended: Callable[[Document, Mapping[str, str]], Document] = _as_it_is
    additions: Sequence[tuple[str, str]] = ()
    told: Callable[[Document], str] = _nothing
    """Returns the text above the form in place of `advice`, where it depends on the document."""
    trial: str = ""
    """Where a second button sends the form, to try what it says; empty without one."""


@dataclass(frozen=True, slots=True)
class OpenForm(Generic[Spec]):
    """A form that somebody fills in: for `stored`, or for a new resource where that is None. `before` is what it holds
    as it is opened.
    """

    pages: ResourcePages[Spec]
    caller: Caller
    parts: Parts
    before: Document
    stored: Resource[Spec] | None
    query: str = ""
    """That of a new one's address: what it begins with follows from it."""

    def page(self, document: Document, flaws: Flaws = NO_FLAWS, status: int = 200) -> Response:
        content = self.content(document, flaws)
        return dashboard_page("resource_form.html.j2", self.pages.place, self.caller, content, status)

    def content(self, document: Document, flaws: Flaws = NO_FLAWS) -> dict[str, object]:
        """Returns what the form's template shows."""
        noun, stored = self.pages.kind.noun, self.stored
        address = f"{self.pages.path}/{stored.id}/edit" if stored else f"{self.pages.path}/new{self.query}"
        return {
            "heading": self._heading,
            "advice": self.pages.advice or self.pages.told(document),
            "form": show_form(self.parts, document, flaws),
            "address": address,
            "left_as": address if flaws else "",
            "version": stored.version if stored else 0,
            "noun": noun,
            "additions": self.pages.additions if stored else (),
            "back": self.pages.path,
            "back_to": self.pages.kind.plural.capitalize(),
            "removal": f"{self.pages.path}/{stored.id}/delete" if stored and self._may_save else "",
            "may_save": self._may_save,
            "trial": self.pages.trial,
            "subject": stored.id if stored else "",
        }

    @property
    def _may_save(self) -> bool:
        return self.caller.role.allows(self.pages.needs)

    @property
    def _heading(self) -> str:
        stored, noun = self.stored, self.pages.kind.noun
        if not self._may_save:
            return f"Try {stored.name}" if stored else f"Try a {noun}"
        return f"Change {stored.name}" if stored else f"New {noun}"

    async def taken(self, ports: Ports, uow: UnitOfWork, form: Fields, author: Author) -> Response:
        """Writes what the form says; one that waited for a sign-in is shown again. Raises FormRefused with the form."""
        document, pages = read_document(self.parts, form, self.before), self.pages
        if AGAIN in form:
            return self.page(document)
        try:
            if self.stored is not None:
                require_version(form, self.stored)
            written = await write_document(ports, uow, pages.kind, pages.shape, document, self.stored, author)
        except TAKEN_BACK as error:
            now_stored = differences(self.parts, self.before, document) if isinstance(error, StaleVersion) else {}
            raise self._refused(error, document, now_stored) from error
        return led_to(pages.leads_to(written))

    async def removed(self, uow: UnitOfWork, author: Author) -> Response:
        """Deletes what is stored. Raises FormRefused where something needs it."""
        assert self.stored is not None, "only what is stored has such a form"
        try:
            await delete(uow, self.pages.kind, self.stored, author)
        except TAKEN_BACK as error:
            raise self._refused(error, self.before, {}) from error
        return led_to(self.pages.path)

    def _refused(self, error: Exception, document: Document, more: Flaws) -> FormRefused:
        return FormRefused(self.page(document, {**flaws_of(error), **more}, status_of(error)))


def editing_router(pages: ResourcePages[Spec]) -> APIRouter:
    """Returns the pages under `{path}/new`, `{path}/{id}/edit` and `{path}/{id}/delete`."""
    router = APIRouter(include_in_schema=False, prefix=pages.path)
    written_by = Depends(sender(pages.needs))
    opened_by = Depends(sender(pages.opens or pages.needs))

    async def new(request: Request, caller: SignedInDep, uow: UowDep) -> OpenForm[Spec]:
        before = pages.fresh(request.query_params)
        query = f"?{request.url.query}" if request.url.query else ""
        return OpenForm(pages, caller, await pages.parts(uow, before), before, None, query)

    async def known(
        request: Request, caller: SignedInDep, uow: UowDep, id: IdOrName, author: Author = opened_by
    ) -> OpenForm[Spec]:
        stored = await pages.kind.store(uow).get(id)
        before = pages.extended(await stored_document(pages.shape, uow, stored, author), request.query_params)
        return OpenForm(pages, caller, await pages.parts(uow, before), before, stored)

    for path, opening in (("/new", Depends(new)), ("/{id}/edit", Depends(known))):
        _add_form(router, path, opening, opened_by, written_by)

    @router.post("/{id}/delete", dependencies=[our_page])
    async def remove(uow: UowDep, author: Author = written_by, opened: OpenForm[Spec] = Depends(known)) -> Response:
        return await opened.removed(uow, author)

    return router


def _add_form(router: APIRouter, path: str, opening: Any, opened_by: Any, written_by: Any) -> None:
    """Adds the two operations of a form: it is shown, and it is sent."""

    @router.get(path, dependencies=[opened_by])
    async def show(opened: Any = opening) -> Response:
        shown: Response = opened.page(opened.before)
        return shown

    @router.post(path, dependencies=[our_page])
    async def take(
        ports: PortsDep, uow: UowDep, form: FormDep, author: Author = written_by, opened: Any = opening
    ) -> Response:
        answer: Response = await opened.taken(ports, uow, form, author)
        return answer


def led_to(path: str) -> Response:
    """Returns the answer to a form that was taken: a page that may be read again without sending the form again."""
    return RedirectResponse(path, 303, DASHBOARD_HEADERS)
