"""OpenTelemetry spans, drawn from the facts that the corridor returns. Needs the extra `tracing`.

request ─┬─ parse
         └─ item (one each) ─┬─ render
                             ├─ wait
                             └─ engine

Lengths are measured. The corridor tells no start of `render`, which goes on beside that of other items:
it is drawn so that it ends when the request was taken in; `wait` begins there, `engine` behind it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.errors import ItemError
from app.scorer import Outcome

_PASSED_ON = (b"traceparent", b"tracestate")
_WAITING_SPANS = 16_384  # four an item: a few full requests at once
_EXPORT_TIMEOUT_S = 5
_ERROR_STATUS = 500


class Traces:
    """One a process, with a provider of its own. `at_once` exports every span when it ends."""

    def __init__(self, exporter: SpanExporter, version: str, *, at_once: bool = False) -> None:
        resource = Resource.create({"service.name": "swe-rm-server", "service.version": version})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(
            SimpleSpanProcessor(exporter)
            if at_once
            else BatchSpanProcessor(exporter, max_queue_size=_WAITING_SPANS)
        )
        self._tracer = self._provider.get_tracer("swe_rm", version)

    def begin(self, headers: Iterable[tuple[bytes, bytes]], request_id: str) -> Trace:
        """A request's trace, which goes on with the caller's `traceparent` where there is one."""
        carrier = {k.decode(): v.decode("latin-1") for k, v in headers if k in _PASSED_ON}
        return Trace(self, TraceContextTextMapPropagator().extract(carrier, Context()), request_id)

    def close(self) -> None:
        """Sends what is left; blocks for some seconds when the collector does not answer."""
        self._provider.shutdown()


def sent_to(url: str, version: str) -> Traces:
    """Traces that go to a collector, OTLP over HTTP."""
    return Traces(OTLPSpanExporter(endpoint=url, timeout=_EXPORT_TIMEOUT_S), version)


class Trace:
    """The spans of one request; times are of the monotonic clock."""

    def __init__(self, traces: Traces, context: Context, request_id: str) -> None:
        self._tracer = traces._tracer
        self._zero_ns = time.time_ns() - time.monotonic_ns()
        attributes = {"swe_rm.request_id": request_id}
        self._span = self._tracer.start_span(
            "request", context, SpanKind.SERVER, attributes=attributes
        )
        self._context = set_span_in_context(self._span, context)

    def stage(self, name: str, at: float, seconds: float, within: Context | None = None) -> None:
        span = self._tracer.start_span(name, within or self._context, start_time=self._ns(at))
        span.end(self._ns(at + seconds))

    def item(self, index: int, outcome: Outcome, taken_at: float) -> None:
        begun = taken_at
        if not isinstance(outcome, ItemError):
            begun -= outcome.prepared.render_s
        span = self._tracer.start_span(
            "item", self._context, start_time=self._ns(begun), attributes={"swe_rm.index": index}
        )
        if isinstance(outcome, ItemError):
            span.set_attribute("swe_rm.code", outcome.code)
            span.set_status(Status(StatusCode.ERROR, outcome.code))
            span.end()
            return
        within, engine_at = set_span_in_context(span), taken_at + outcome.wait_s
        engine_s = outcome.engine_s
        span.set_attribute("swe_rm.prompt_tokens", len(outcome.prepared.prompt.ids))
        span.set_attribute("swe_rm.source", outcome.source)
        span.set_attribute("swe_rm.cached_tokens", outcome.cached_tokens)
        self.stage("render", begun, outcome.prepared.render_s, within)
        self.stage("wait", taken_at, outcome.wait_s, within)
        if outcome.source != "memo":
            self.stage("engine", engine_at, engine_s, within)
        span.end(self._ns(engine_at + engine_s))

    def end(self, route: str, method: str, status: int, code: str | None) -> None:
        self._span.update_name(f"{method} {route}")
        self._span.set_attribute("http.route", route)
        self._span.set_attribute("http.request.method", method)
        self._span.set_attribute("http.response.status_code", status)
        if code:
            self._span.set_attribute("swe_rm.code", code)
        if status >= _ERROR_STATUS:
            self._span.set_status(Status(StatusCode.ERROR, code or str(status)))
        self._span.end()

    def _ns(self, at: float) -> int:
        return self._zero_ns + int(at * 1e9)
