"""Writes AWS's binary event streams, as the servers of Amazon Bedrock do."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zlib import crc32

import orjson

from ext_proc.codec.event_stream import EventStreamDecoder, EventStreamMessage, Header

Json = dict[str, Any]


def encode_message(headers: Mapping[str, Header], payload: bytes) -> bytes:
    """Write one message."""
    written = b"".join(bytes([len(name.encode())]) + name.encode() + _value(value) for name, value in headers.items())
    prelude = _number(len(written) + len(payload) + 16, 4) + _number(len(written), 4)
    checked = prelude + _number(crc32(prelude), 4) + written + payload
    return checked + _number(crc32(checked), 4)


def encode_events(events: Iterable[Json]) -> bytes:
    """Write events of Converse, each an object with its type as the only key; `exception` of one is its type."""
    return b"".join(encode_one(event) for event in events)


def encode_one(event: Json) -> bytes:
    """Write one event, or one exception: `{"exception": {"throttlingException": {...}}}`."""
    word = "exception" if "exception" in event else "event"
    [(kind, payload)] = event.get("exception", event).items()
    headers = {f":{word}-type": kind, ":content-type": "application/json", ":message-type": word}
    return encode_message(headers, orjson.dumps(payload))


def decode_stream(*chunks: bytes) -> list[EventStreamMessage]:
    """Read a stream that comes in these pieces."""
    decoder = EventStreamDecoder()
    return [message for chunk in chunks for message in decoder.feed(chunk)]


def decode_events(stream: bytes) -> list[Json]:
    """Read the events of a Converse stream without exceptions, each as an object with its type as the only key."""
    return [{str(message.headers[":event-type"]): orjson.loads(message.payload)} for message in decode_stream(stream)]


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, signed=value < 0)


def _value(value: Header) -> bytes:
    match value:
        case bool():
            return b"\0" if value else b"\1"
        case int():
            kind, size = next(
                (kind, size)
                for kind, size in ((2, 1), (3, 2), (4, 4), (5, 8))
                if -(2 ** (8 * size - 1)) <= value < 2 ** (8 * size - 1)
            )
            return bytes([kind]) + value.to_bytes(size, signed=True)
        case bytes():
            return b"\6" + _number(len(value), 2) + value
        case str():
            return b"\7" + _number(len(value.encode()), 2) + value.encode()
        case datetime():
            return b"\x08" + round(value.timestamp() * 1000).to_bytes(8, signed=True)
