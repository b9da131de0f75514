"""Bodies of megabytes: each step of work on one takes about a millisecond per megabyte, and others get their turn in between.

A thread would not help: neither orjson nor protobuf lets go of the interpreter's lock.
"""

import asyncio
from typing import Final

from ext_proc.codec.json_body import JsonObject, load_object, refuse_depth, refuse_many_values

LARGE_BYTES: Final = 1 << 20


async def read_object(body: bytes) -> JsonObject:
    """Parse as `parse_object` does, step by step.

    Raises:
        MalformedBody: see `parse_object`.
    """
    refuse_many_values(body)
    await let_others_run(body)
    value = load_object(body)
    await let_others_run(body)
    refuse_depth(body, value)
    return value


async def let_others_run(body: bytes) -> None:
    """Let the event loop do what is due, if the work on a body of this size has made it wait."""
    if len(body) >= LARGE_BYTES:
        await asyncio.sleep(0)
