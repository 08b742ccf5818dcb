"""Resources that are configured: listed, read, created, changed and deleted in the same way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar
from urllib.parse import quote

from pydantic import JsonValue

from service.api.http.configured import Shown, Written
from service.client.documents import read, written
from service.client.server import Server

WrittenT = TypeVar("WrittenT", bound=Written)
ShownT = TypeVar("ShownT", bound=Shown)


class ConfiguredClient(Generic[WrittenT, ShownT]):
    """The resources of one kind. `reference` is an id or a name. All methods raise ServerError."""

    def __init__(self, server: Server, path: str, shown: type[ShownT]) -> None:
        self._server, self._path, self._shown = server, path, shown

    def list(self) -> Iterator[ShownT]:
        """Yields them, oldest first, part by part as they are wanted."""
        return (read(self._shown, one) for one in self._server.pages(self._path))

    def get(self, reference: str) -> ShownT:
        return read(self._shown, self._server.ask("GET", self._place(reference)))

    def create(self, document: WrittenT) -> ShownT:
        return read(self._shown, self._server.ask("POST", self._path, body=written(document)))

    def change(self, reference: str, fields: Mapping[str, JsonValue], *, version: int | None = None) -> ShownT:
        """Merges fields into it: null puts one back to its default. With a `version`: where that is stored still."""
        body = {**fields}
        return read(self._shown, self._server.ask("PATCH", self._place(reference), body=body, version=version))

    def delete(self, reference: str, *, version: int | None = None) -> None:
        self._server.ask("DELETE", self._place(reference), version=version)

    def _place(self, reference: str) -> str:
        return f"{self._path}/{quote(reference, safe='')}"
