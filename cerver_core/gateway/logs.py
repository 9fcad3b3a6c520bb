"""Logs as JSON, one line each, on standard error: for people who collect them; never a body, a key or a query."""

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime

__all__ = ["JsonLines", "log_to_stderr"]

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object: `at`, `level`, `logger`, `event`, and what else the record says."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in _OWN and v is not None})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send this process's log to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("cerver_core").setLevel(level)
    served = logging.getLogger("uvicorn.error")
    served.setLevel(logging.WARNING)
    served.addFilter(_is_no_cancellation)


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Pass over a request that was broken off because the gateway ends: uvicorn takes it for an error."""
    return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError)
