"""Bytes of a request: read with limits on what they decode to.

A body is bounded before, while and after it is decoded; big ones are decoded and parsed off the event
loop.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable
from typing import Literal

import zstandard
from fastapi import Request

from app.api.house import House
from app.api.parse import Body, ItemLimits, parse_document, parse_json, parse_ndjson
from app.errors import BodyTooLarge, Malformed, UnsupportedMediaType

_OFF_LOOP_BYTES = 65_536  # what takes longer to parse than to hand to a thread
_PIECE_BYTES = 1_048_576
_ZSTD_WINDOW_BYTES = 2**27
_ZSTD_SLICE_BYTES = 512  # of which no more than 16 MiB can come: 4 bytes may say 128 KiB
_WHOLE_BODY_SILENCES = 10  # a body may take this many silences in all
_DISCARD_S = 5.0


async def read_body(
    request: Request, house: House, hold: Callable[[int], None], items_key: str
) -> Body:
    """Reads and parses the body of `/score` or `/rerank`, JSON or NDJSON.

    Raises `BodyTooLarge`, `TooManyItems`, `Malformed`, `InvalidRequest`, `UnsupportedMediaType`,
    `Overloaded`, and what `House.refuse_when_shut` raises.
    """
    house.refuse_when_shut()
    kind = _media_type(request)
    limits = house.limits
    allowed = limits.max_body_bytes if kind == "json" else limits.max_ndjson_body_bytes
    raw = await _receive(request, house, allowed, hold)
    request.state.received_at = time.monotonic()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    parse = parse_json if kind == "json" else parse_ndjson
    of_items = ItemLimits(items_key, limits.max_items, limits.max_item_bytes)

    def work() -> Body:
        return parse(_decoded(raw, encoding, allowed, hold), of_items)

    if encoding == "identity" and len(raw) <= _OFF_LOOP_BYTES:
        return work()
    body: Body = await house.off_loop(work)
    return body


async def read_value(
    request: Request, house: House, hold: Callable[[int], None], allowed: int
) -> object:
    """One JSON value of at most `allowed` bytes. Raises as `read_body` does."""
    if _media_type(request) != "json":
        message = "content-type must be application/json"
        raise UnsupportedMediaType(message)
    raw = await _receive(request, house, allowed, hold)
    request.state.received_at = time.monotonic()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    return await house.off_loop(lambda: parse_document(_decoded(raw, encoding, allowed, hold)))


def _media_type(request: Request) -> Literal["json", "ndjson"]:
    given = request.headers.get("content-type", "application/json").partition(";")[0]
    match given.strip().lower():
        case "application/json" | "text/json" | "":
            return "json"
        case "application/x-ndjson" | "application/ndjson" | "application/jsonl":
            return "ndjson"
    message = "content-type must be application/json or application/x-ndjson"
    raise UnsupportedMediaType(message)


async def _receive(
    request: Request, house: House, allowed: int, hold: Callable[[int], None]
) -> bytearray:
    silence_s = house.limits.body_timeout_s
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > allowed:
        await _discard(request, allowed)
        raise _too_large(allowed)
    data = bytearray()  # grows in place: to join a list of chunks would hold up the loop
    stream = request.stream().__aiter__()
    try:
        whole = asyncio.timeout(silence_s * _WHOLE_BODY_SILENCES)
        async with whole:
            with house.reading(whole):
                while True:
                    async with asyncio.timeout(silence_s):
                        chunk = await anext(stream, None)
                    if chunk is None:
                        return data
                    if len(data) + len(chunk) > allowed:
                        await _discard(request, allowed)
                        raise _too_large(allowed)
                    hold(len(chunk))
                    data += chunk
    except TimeoutError as cause:
        house.refuse_when_shut()
        message = f"the body did not arrive: {len(data)} bytes, then {silence_s:g} s of silence"
        raise Malformed(message) from cause


async def _discard(request: Request, most_bytes: int) -> None:
    """Takes the rest of a body that is refused, within bounds, so that the sender, who writes first
    and reads later, gets to see the answer instead of a broken pipe."""
    if request.headers.get("expect", "").lower() == "100-continue":
        return
    left = most_bytes
    try:
        async with asyncio.timeout(_DISCARD_S):
            while left > 0:
                message = await request.receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
    except TimeoutError:
        return


def _too_large(allowed: int) -> BodyTooLarge:
    message = f"the body is larger than {allowed} bytes"
    return BodyTooLarge(message, limits={"allowed": allowed})


def _decoded(raw: bytearray, encoding: str, allowed: int, hold: Callable[[int], None]) -> bytearray:
    """The body uncompressed. Not much more than `allowed` bytes are ever made out of it."""
    try:
        match encoding:
            case "identity" | "":
                return raw
            case "gzip" | "x-gzip":
                return _gunzip(raw, allowed, hold)
            case "zstd":
                return _unzstd(raw, allowed, hold)
    except (zlib.error, zstandard.ZstdError) as cause:
        message = f"the body is not valid {encoding}"
        raise Malformed(message) from cause
    message = "content-encoding must be gzip, zstd or identity"
    raise UnsupportedMediaType(message)


def _gunzip(raw: bytearray, allowed: int, hold: Callable[[int], None]) -> bytearray:
    inflate = zlib.decompressobj(wbits=31)
    data, rest = bytearray(), bytes(raw)
    while rest and not inflate.eof:
        _add(data, inflate.decompress(rest, _PIECE_BYTES), allowed, hold)
        rest = inflate.unconsumed_tail
    if not inflate.eof or inflate.unused_data:
        message = "the body is not one whole gzip member"
        raise Malformed(message)
    return data


def _unzstd(raw: bytearray, allowed: int, hold: Callable[[int], None]) -> bytearray:
    """In small slices: zstandard's own reader, bounded in output, takes a cut frame for a whole one."""
    expand = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj()
    data, at = bytearray(), 0
    while at < len(raw) and not expand.eof:
        _add(data, expand.decompress(raw[at : at + _ZSTD_SLICE_BYTES]), allowed, hold)
        at += _ZSTD_SLICE_BYTES
    if not expand.eof or expand.unused_data or at < len(raw):
        message = "the body is not one whole zstd frame"
        raise Malformed(message)
    return data


def _add(data: bytearray, piece: bytes, allowed: int, hold: Callable[[int], None]) -> None:
    if len(data) + len(piece) > allowed:
        raise _too_large(allowed)
    hold(len(piece))
    data += piece
