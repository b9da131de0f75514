"""Large bodies: each processing step takes about 1 ms per megabyte, and other requests run in between.

A thread would not help: neither orjson nor protobuf releases the GIL.
"""

import asyncio
from typing import Final

from ext_proc.codec.json_body import JsonObject, load_object, refuse_depth, refuse_many_values

LARGE_BYTES: Final = 1 << 20


async def read_object(body: bytes) -> JsonObject:
    """Parse like `parse_object`, step by step.

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
    """Yield to the event loop after work on a body of this size."""
    if len(body) >= LARGE_BYTES:
        await asyncio.sleep(0)
