"""Spans of a request, from an exporter that keeps them in memory."""

from __future__ import annotations

from typing import Any

import pytest
from houses import ask, item, opened

pytest.importorskip("opentelemetry.sdk", reason="the extra tracing is not installed")

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.api.traces import Traces
from app.engine.fake import FakeEngine

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
MARK = "XMARKX7f3a"


async def traced(path: str, body: Any, headers: dict[str, str] | None = None, **how: Any) -> Any:
    """(answer, spans)."""
    exporter = InMemorySpanExporter()
    traces = Traces(exporter, "0.0.test", at_once=True)
    with opened(traces=traces, **how) as built:
        async with ask(built) as client:
            answer = await client.post(path, json=body, headers=headers)
    traces.close()
    return answer, exporter.get_finished_spans()


def named(spans: Any, name: str) -> list[ReadableSpan]:
    return [span for span in spans if span.name == name]


def under(span: ReadableSpan, parent: ReadableSpan) -> bool:
    return bool(span.parent and span.parent.span_id == parent.context.span_id)


def seconds(span: ReadableSpan) -> float:
    assert span.start_time
    assert span.end_time
    return (span.end_time - span.start_time) / 1e9


async def test_a_request_its_items_and_their_stages() -> None:
    body = {"trajectories": [item(), item(word="other"), {"trajectory": "{"}]}
    answer, spans = await traced("/score", body, engine=FakeEngine(delay_s=0.02))
    (request,) = named(spans, "POST /score")
    (parse,) = named(spans, "parse")
    items = named(spans, "item")
    assert under(parse, request)
    assert len(items) == 3
    assert all(under(each, request) for each in items)
    good = [each for each in items if "swe_rm.code" not in each.attributes]
    assert sorted(each.attributes["swe_rm.index"] for each in good) == [0, 1]
    for one in good:
        result = answer.json()["results"][one.attributes["swe_rm.index"]]
        stages = [span for span in spans if under(span, one)]
        assert sorted(span.name for span in stages) == ["engine", "render", "wait"]
        for stage in stages:
            told = result["timings_ms"][stage.name] / 1000
            assert seconds(stage) == pytest.approx(told, abs=1e-5)
            assert one.start_time <= stage.start_time <= stage.end_time <= one.end_time
        assert one.attributes["swe_rm.prompt_tokens"] == result["tokens"]["prompt"]
    (failed,) = (each for each in items if "swe_rm.code" in each.attributes)
    assert failed.attributes["swe_rm.code"] == answer.json()["results"][2]["error"]["code"]
    assert not failed.status.is_ok
    assert request.attributes["http.response.status_code"] == 200
    assert request.start_time <= parse.start_time
    assert request.resource.attributes["service.name"] == "swe-rm-server"


async def test_the_callers_trace_goes_on() -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    _, spans = await traced("/rm", {"prompt": "fix", "response": "done"}, headers)
    (request,) = named(spans, "POST /rm")
    assert f"{request.parent.span_id:016x}" == PARENT
    assert {f"{span.context.trace_id:032x}" for span in spans} == {TRACE}
    assert len(named(spans, "engine")) == 1


@pytest.mark.parametrize("parent", ["rubbish", "00-0-0-01", ""])
async def test_a_bad_traceparent_begins_a_trace_of_its_own(parent: str) -> None:
    answer, spans = await traced("/score", {"trajectories": [item()]}, {"traceparent": parent})
    assert answer.status_code == 200
    assert named(spans, "POST /score")[0].parent is None


async def test_a_trace_that_is_not_sampled_stays_so() -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
    _, spans = await traced("/score", {"trajectories": [item()]}, headers)
    assert not spans


async def test_a_refusal_is_a_span_with_its_code() -> None:
    _, spans = await traced("/score", {"trajectories": []})
    (request,) = named(spans, "POST /score")
    assert request.attributes["swe_rm.code"] == "invalid"
    assert request.attributes["http.response.status_code"] == 400


async def test_spans_hold_no_word_of_a_request() -> None:
    body = {"trajectories": [item(word=MARK, id=MARK), {"trajectory": MARK * 3}, {MARK: 1}]}
    _, spans = await traced(
        "/score", body, {"authorization": f"Bearer {MARK}", "x-session-id": MARK}
    )
    assert len(spans) > 5
    assert not [span for span in spans if MARK in span.to_json()]
