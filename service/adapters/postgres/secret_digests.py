"""Digests of secrets that earlier releases stored bare, keyed afterwards: a migration that needs the vault's key.

Bare, a guessed password could be checked against a dump of the database. The previous release still runs on the result:
to it, a digest is any text, and a secret that is sent again counts as another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from service.adapters.postgres.addresses import libpq_url

NAMING = frozenset({"webhook_url", "routing_key", "api_key"})
"""Fields whose digest is part of their channel's key, by which posts and notifications know it. What they hold is long
and random, so that nothing can be guessed; they are keyed when another secret is sent.
"""
TABLES = ("resources", "resource_versions")

Keyed = Callable[[str], str]
"""Returns the keyed digest of a bare one; a keyed one as it is."""


def key_digests(url: str, keyed: Keyed) -> int:
    """Keys every bare digest of configured secrets, in one transaction; returns how many documents changed."""
    with psycopg.connect(libpq_url(url)) as connection:
        return sum(_key_table(connection, table, keyed) for table in TABLES)


def _key_table(connection: psycopg.Connection, table: str, keyed: Keyed) -> int:
    name = sql.Identifier(table)
    bare = sql.SQL('SELECT id, version, spec FROM {} WHERE spec::text ~ \'"digest": "[0-9a-f]{{16}}"\'').format(name)
    rows = connection.execute(bare).fetchall()
    changed = [(id, version, after) for id, version, spec in rows if (after := _with_keyed(spec, keyed)) != spec]
    if not changed:
        return 0
    write = sql.SQL("UPDATE {} SET spec = %s WHERE id = %s AND version = %s").format(name)
    # The one time that stored versions change: a digest is no part of what was configured.
    connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
    for id, version, spec in changed:
        connection.execute(write, (Jsonb(spec), id, version))
    connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))
    return len(changed)


def _with_keyed(document: JsonValue, keyed: Keyed, field: str = "") -> JsonValue:
    if isinstance(document, list):
        return [_with_keyed(one, keyed, field) for one in document]
    if not isinstance(document, Mapping):
        return document
    parts = {name: _with_keyed(value, keyed, name) for name, value in document.items()}
    digest = parts.get("digest")
    if "ciphertext" in parts and isinstance(digest, str) and field not in NAMING:
        return parts | {"digest": keyed(digest)}
    return parts
