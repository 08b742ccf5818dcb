"""A form that was not taken: it comes back as it was sent, with what is wrong."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from service.api.http.problems import problems_of
from service.domain.values.errors import Conflict, Invalid, StaleVersion

TAKEN_BACK = (RequestValidationError, Invalid, Conflict, StaleVersion)
"""The errors that somebody can act on in the form itself."""


class FormRefused(Exception):
    """Ends the request's transaction; `page` is the answer."""

    def __init__(self, page: Response) -> None:
        super().__init__("the form was not taken")
        self.page = page


def answer_with_forms(app: FastAPI) -> None:
    app.add_exception_handler(FormRefused, _form_again)


async def _form_again(_: Request, error: Exception) -> Response:
    assert isinstance(error, FormRefused)
    return error.page


def status_of(error: Exception) -> int:
    """Returns 409 for what contradicts what is stored, 422 for what is not acceptable in itself."""
    return 409 if isinstance(error, Conflict | StaleVersion) else 422


def flaws_of(error: Exception) -> dict[str, str]:
    """Returns what is wrong by the pointer of the value; "" for the whole."""
    if isinstance(error, RequestValidationError):
        return {one.pointer: one.detail for one in problems_of(error)}
    return {error.pointer if isinstance(error, Invalid) else "": str(error)}
