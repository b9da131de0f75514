import asyncio

from ext_proc.decide.large_body import LARGE_BYTES, read_object


async def test_a_large_body_lets_others_run_while_it_is_read() -> None:
    turns = 0
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read_object(b'{"a":"' + b"x" * LARGE_BYTES + b'"}'))
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
    assert turns > 2
    assert set(reading.result()) == {"a"}
