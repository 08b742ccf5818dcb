"""Errors of requests, in words that a caller can act on."""


class DomainError(Exception):
    """The request cannot be carried out as it stands."""


class NotFound(DomainError):
    """Nothing of that id or name exists."""


class UnreadableDocument(DomainError):
    """A resource is stored in a text that this release cannot read."""

    def __init__(self, kind: str, id: str, name: str, error: str) -> None:
        super().__init__(f"The {kind} {name!r} ({id}) is stored in a text that this release cannot read: {error}")
        self.id = id
        self.name = name


class Conflict(DomainError):
    """The request is well formed and contradicts what is stored: a duplicate name, an illegal transition."""


class StaleVersion(DomainError):
    """The caller's version is not the stored one: read again, then repeat the change."""


class Invalid(DomainError):
    """A value is not acceptable. `pointer` is a JSON pointer into the request body."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer
