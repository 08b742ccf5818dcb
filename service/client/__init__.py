"""A typed client of the REST API: questions are methods, and answers are the API's own documents."""

from service.client.errors import (
    Busy,
    Clash,
    Mistake,
    NoAnswer,
    NothingThere,
    RequestRefused,
    RoleRefused,
    ServerError,
    TokenRefused,
    ValueRefused,
    VersionStale,
)
from service.client.server import Server

__all__ = [
    "Busy",
    "Clash",
    "Mistake",
    "NoAnswer",
    "NothingThere",
    "RequestRefused",
    "RoleRefused",
    "Server",
    "ServerError",
    "TokenRefused",
    "ValueRefused",
    "VersionStale",
]
