"""The contract over HTTP: a thin layer that is handed a `Host` and knows neither engine, client, stores nor vendors."""

from cerver_core.gateway.app import create_app

__all__ = ["create_app"]
