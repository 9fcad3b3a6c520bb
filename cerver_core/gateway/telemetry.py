"""What operators watch: Prometheus metrics of every request, and an OpenTelemetry span where a tracer is set up.

The operation, never the path, is the label: ids would make as many series as there are sessions. A span is made through
the OpenTelemetry API alone, which does nothing until the process is started under an SDK (`opentelemetry-instrument`).
"""

import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["OPERATION", "Telemetry", "Watched"]

OPERATION = "cerver.operation"
"""The key of the request's scope under which its route names the operation."""

_UNKNOWN = "none"
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Telemetry:
    """The figures of one process, in a registry of their own.

    With `shared`, a folder, those of all processes that were started with `PROMETHEUS_MULTIPROC_DIR` set to it.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "cerver_requests", "Requests answered.", ("operation", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "cerver_request_seconds",
            "Seconds until the first byte of the answer.",
            ("operation",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.open = Gauge(
            "cerver_open_requests",
            "Requests being answered, streams included.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Write the figures in the format that the scraper accepts; answers the text and its media type."""
        encode, media = choose_encoder(accept)
        if self._shared is None:
            return encode(self.registry), media
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone, str(self._shared))
        return encode(everyone), media


class Watched:
    """An application whose every request is counted and timed."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry
        # Asked once: spans that nobody keeps took a twentieth of what a read takes.
        is_traced = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        self._tracer = trace.get_tracer("cerver.gateway") if is_traced else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] in {"http.response.start", "websocket.accept", "websocket.close"} and not status:
                status = message.get("status", 101 if message["type"] == "websocket.accept" else 403)
                self._telemetry.seconds.labels(scope.get(OPERATION, _UNKNOWN)).observe(time.perf_counter() - began_s)
            await send(message)

        with self._telemetry.open.track_inprogress(), self._span() as span:
            try:
                await self._app(scope, receive, watched)
            finally:
                name = str(scope.get(OPERATION, _UNKNOWN))
                self._telemetry.requests.labels(name, str(status or 500)).inc()
                if span is not None:
                    span.update_name(name)
                    span.set_attribute("http.request.method", scope.get("method", "GET"))
                    span.set_attribute("http.response.status_code", status or 500)

    def _span(self) -> AbstractContextManager[Span | None]:
        if self._tracer is None:
            return nullcontext()
        return self._tracer.start_as_current_span("request", kind=SpanKind.SERVER, record_exception=False)
