"""One address of the database for every library."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url


def sqlalchemy_url(url: str) -> URL:
    """Returns the URL with the driver we use, whether it is spelled postgres://, postgresql:// or with a driver."""
    scheme, separator, rest = url.partition("://")
    if scheme == "postgres":
        url = f"postgresql{separator}{rest}"
    return make_url(url).set(drivername="postgresql+psycopg")


def libpq_url(url: str) -> str:
    """Returns the same address for libpq, psycopg and the queue. Holds the password."""
    return sqlalchemy_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
