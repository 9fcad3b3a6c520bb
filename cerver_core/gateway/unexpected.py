"""Tells what Cerver raises on purpose from everything else: the latter is logged and becomes a plain error."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect

from cerver_core.errors import CerverError

__all__ = ["expected_only"]

_log = logging.getLogger(__name__)


@contextmanager
def expected_only(doing: str, request_id: str = "") -> Generator[None]:
    """Turn what nobody expected into an error without a trace; the trace is logged."""
    try:
        yield
    except (CerverError, ClientDisconnect):
        raise
    except Exception as error:
        _log.exception("broke", extra={"doing": doing, "request_id": request_id or None})
        told = f"; its log says more under the request id {request_id}" if request_id else "; its log says more"
        raise CerverError(f"the gateway failed{told}") from error
