"""The part of a source that a failed reading is about: each is put right elsewhere."""

from __future__ import annotations

from enum import StrEnum


class SourceConcern(StrEnum):
    KEY = "key"
    """The admin key is unknown, refused or no key at all."""
    SEAL = "seal"
    """The stored key cannot be opened with this TOCSIN_SECRET_KEY."""
    ADDRESS = "address"
    """Something else than the Admin API answers at `base_url`, or it is no address."""
    EGRESS = "egress"
    """This installation forbids itself the address."""
    NETWORK = "network"
    """Nothing answers there."""
    ORGANISATION = "organisation"
    """Another source reads the same organisation."""
    MOMENT = "moment"
    """The API is busy or has a fault of its own, or something that nobody foresaw."""
