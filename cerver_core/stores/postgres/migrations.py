"""Brings a database to this version's schema, once, whichever replica is first; and finds a role that policies bind."""

import logging
from pathlib import Path

import asyncpg

from cerver_core.errors import SchemaTooNew, StoreUnavailable

__all__ = ["APP_ROLE", "KNOWN_SCHEMA", "prepare"]

APP_ROLE = "cerver_app"
"""The role under which statements run when the user of the URL is one that row-level security does not bind."""

KNOWN_SCHEMA = 4
"""The newest schema: the number of the last file in `migrations/`."""

_OLDEST_SERVER = 150_000
_LOCK = 0x43525652  # "CRVR"
_MIGRATIONS = Path(__file__).parent / "migrations"
_MAKE_ROLE = f"""
DO $$ BEGIN
    CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT USAGE ON SCHEMA public TO {APP_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP_ROLE};
"""

_log = logging.getLogger(__name__)


async def prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> str | None:
    """Migrate if the schema is older, and give the role to take; null: the user's own will do.

    Raises:
        SchemaTooNew: a newer Cerver wrote the database.
        StoreUnavailable: the server is too old.
    """
    if await connection.fetchval("SELECT current_setting('server_version_num')::int") < _OLDEST_SERVER:
        raise StoreUnavailable("Cerver needs PostgreSQL 15 or newer; upgrade the server or name another")
    is_unbound = await connection.fetchval("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    if not await _is_ready(connection, is_unbound=is_unbound):
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await _migrate(connection)
            if is_unbound:
                await _arrange_role(connection)
    return APP_ROLE if is_unbound and await _may_use(connection) else None


async def _is_ready(connection: "asyncpg.Connection[asyncpg.Record]", *, is_unbound: bool) -> bool:
    if await _version(connection) != KNOWN_SCHEMA:
        return False
    return not is_unbound or await _may_use(connection)


async def _version(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    if await connection.fetchval("SELECT to_regclass('cerver_schema')") is None:
        return 0
    version: int = await connection.fetchval("SELECT version FROM cerver_schema")
    if version > KNOWN_SCHEMA:
        raise SchemaTooNew(
            f"the database has schema {version} and this Cerver knows up to {KNOWN_SCHEMA}; upgrade and restart it",
            schema=version,
            known=KNOWN_SCHEMA,
        )
    return version


async def _migrate(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.execute("CREATE TABLE IF NOT EXISTS cerver_schema (version int NOT NULL)")
    version = await _version(connection) if await connection.fetchval("SELECT count(*) FROM cerver_schema") else 0
    for number in range(version + 1, KNOWN_SCHEMA + 1):
        (script,) = _MIGRATIONS.glob(f"{number:04}_*.sql")
        await connection.execute(script.read_text(encoding="utf-8"))
        _log.info("the database was brought to schema %d", number)
    await connection.execute("DELETE FROM cerver_schema")
    await connection.execute("INSERT INTO cerver_schema VALUES ($1)", KNOWN_SCHEMA)


async def _arrange_role(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    try:
        async with connection.transaction():
            await connection.execute(_MAKE_ROLE)
    except asyncpg.InsufficientPrivilegeError as error:
        _log.warning("row-level security does not bind this user, and the role %s cannot be made: %s", APP_ROLE, error)


async def _may_use(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    found: bool = await connection.fetchval(
        "SELECT coalesce((SELECT pg_has_role(oid, 'MEMBER') AND has_table_privilege(oid, 'records', 'INSERT') "
        "FROM pg_roles WHERE rolname = $1), false)",
        APP_ROLE,
    )
    return found
