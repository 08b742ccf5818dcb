"""A form for one item of a document that is stored as a whole, such as one person of a list."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi.responses import Response

from service.api.dashboard.documents.controls import Document, Parts
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.documents.reading import Fields, read_document
from service.api.dashboard.documents.refused import TAKEN_BACK, FormRefused, flaws_of, status_of
from service.api.dashboard.documents.showing import NO_FLAWS, Flaws, differences, show_form
from service.api.dashboard.documents.writing import CHANGED_MEANWHILE, VERSION
from service.api.dashboard.forms import AGAIN
from service.api.dashboard.layout import dashboard_page
from service.domain.access import Caller
from service.domain.values.errors import StaleVersion


@dataclass(frozen=True, slots=True)
class ItemForm:
    """`before` is the item as it is stored, or what a new one begins with. `address` takes the form, `back` is the
    page of all items and `back_to` its name, `removal` deletes the item; empty where nothing does. The form is of the
    item alone: others may change the rest of the document.
    """

    place: str
    caller: Caller
    heading: str
    noun: str
    parts: Parts
    before: Document
    is_stored: bool
    address: str
    back: str
    back_to: str
    removal: str = ""
    advice: str = ""

    @property
    def version(self) -> str:
        """Identifies what is stored of the item; empty for nothing."""
        if not self.is_stored:
            return ""
        return hashlib.sha256(json.dumps(self.before, sort_keys=True).encode()).hexdigest()[:16]

    def page(self, document: Document, flaws: Flaws = NO_FLAWS, status: int = 200) -> Response:
        content = {
            "heading": self.heading,
            "advice": self.advice,
            "form": show_form(self.parts, document, flaws),
            "address": self.address,
            "left_as": self.address if flaws else "",
            "version": self.version,
            "noun": self.noun,
            "additions": (),
            "back": self.back,
            "back_to": self.back_to,
            "removal": self.removal,
        }
        return dashboard_page("resource_form.html.j2", self.place, self.caller, content, status)

    async def taken(self, form: Fields, save: Callable[[Document], Awaitable[object]]) -> Response:
        """Saves what the form says; one that waited for a sign-in is shown again. Raises FormRefused with the form."""
        document = read_document(self.parts, form, self.before)
        if AGAIN in form:
            return self.page(document)
        try:
            if form.get(VERSION, "") != self.version:
                raise StaleVersion(CHANGED_MEANWHILE)
            await save(document)
        except TAKEN_BACK as error:
            now_stored = differences(self.parts, self.before, document) if isinstance(error, StaleVersion) else {}
            page = self.page(document, {**flaws_of(error), **now_stored}, status_of(error))
            raise FormRefused(page) from error
        return led_to(self.back)
