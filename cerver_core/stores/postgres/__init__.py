"""The hosted store: one Postgres database, shared by any number of replicas; needs the extra `postgres`."""

from cerver_core.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
