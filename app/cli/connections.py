"""Connections that may not linger: clocks on what uvicorn waits for without one.

Uvicorn closes a connection that is idle between two requests. It waits for ever for the head of a
request that was begun, or never sent at all, and for a client that does not take its answer.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def timed(header_s: float, answer_s: float) -> type[HttpToolsProtocol]:
    """The protocol with `header_s` for the head of a request, and `answer_s` of silence while a
    client takes an answer. The body has its own clock, where it is read."""

    class Timed(HttpToolsProtocol):
        _head: asyncio.TimerHandle | None = None
        _answer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._await_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            idle = self.cycle is None or self.cycle.response_complete
            if idle and not self.timeout_keep_alive_task:
                self._await_head()  # what came was no head yet: an empty line, or the half of one

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._await_head()

        def on_headers_complete(self) -> None:
            if self._head:
                self._head.cancel()
                self._head = None
            super().on_headers_complete()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._answer = self.loop.call_later(answer_s, self.transport.abort)

        def resume_writing(self) -> None:
            if self._answer:
                self._answer.cancel()
                self._answer = None
            super().resume_writing()

        def _await_head(self) -> None:
            """Counted from the first byte: one byte now and then wins no time."""
            if not self._head and not self.transport.is_closing():
                self._head = self.loop.call_later(header_s, self.transport.close)

        def _forget(self) -> None:
            for clock in (self._head, self._answer):
                if clock:
                    clock.cancel()

    return Timed
