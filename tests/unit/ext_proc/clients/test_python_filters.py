"""Python filters in their process: answers, refusals, failures, calls that never end, and processes that do."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from ext_proc.clients.python_filters import PythonFilters
from ext_proc.filters.filter import Filter
from ext_proc.plan.plan import Plan
from ext_proc.ports import EgressResponse
from tests.unit.ext_proc.filters.recording_egress import RecordingEgress, reply

CODE = """
import os, re, time
class No(Exception):
    status = 451
def add(body, path):
    print("printed, and no frame")
    return body | {"path": path}
def keep(body):
    return None
def refuse(body):
    raise No("not that")
def fail(body):
    return body["missing"]
def odd(body):
    return ["a list"]
def sleep(body):
    time.sleep(body.get("for", 60))
    return {"slept": True}
def hold(body):
    re.match(r"(a+)+$", "a" * 40 + "b")
def leave(body):
    os._exit(7)
"""
NAMES = ("add", "keep", "refuse", "fail", "odd", "sleep", "hold", "leave")


@pytest_asyncio.fixture
async def filters(tmp_path: Path) -> AsyncIterator[PythonFilters]:
    (tmp_path / "users.py").write_text(CODE)
    steps = {name: Filter(id=name, type="python", route=f"filter/{name}", callable=f"users:{name}") for name in NAMES}
    python = PythonFilters(
        RecordingEgress([reply({"from": "afar"})]), Plan(version="1", filters=steps, python_folder=str(tmp_path))
    )
    yield python
    await python.aclose()


async def call(filters: PythonFilters, name: str, seconds: float = 20, **body: object) -> EgressResponse:
    return await filters.post(f"filter/{name}", "/p", headers={}, body=orjson.dumps(body), timeout_seconds=seconds)


async def test_what_a_function_returns_is_the_answer(filters: PythonFilters) -> None:
    added = await call(filters, "add", a=1)
    assert (added.status, orjson.loads(added.body)) == (200, {"a": 1, "path": "/p"})
    assert (await call(filters, "keep")).body == b""


async def test_other_routes_are_not_its_business(filters: PythonFilters) -> None:
    assert orjson.loads((await call(filters, "elsewhere")).body) == {"from": "afar"}


@pytest.mark.parametrize(("name", "status"), [("refuse", 451), ("fail", 500), ("odd", 500)])
async def test_refusals_and_failures(filters: PythonFilters, name: str, status: int) -> None:
    said = await call(filters, name)
    assert (said.status, said.local_reply) == (status, "")
    assert (b"not that" in said.body) == (name == "refuse")


@pytest.mark.parametrize("name", ["sleep", "hold"])
async def test_a_call_that_does_not_end_is_given_up_and_others_go_on(filters: PythonFilters, name: str) -> None:
    await call(filters, "add")
    given_up = asyncio.ensure_future(call(filters, name, 0.3))
    assert (await given_up).timed_out
    assert (await call(filters, "add")).status == 200


async def test_a_call_beside_one_that_is_given_up_has_its_answer(filters: PythonFilters) -> None:
    await call(filters, "add")
    beside = asyncio.ensure_future(call(filters, "sleep", **{"for": 0.6}))
    assert (await call(filters, "sleep", 0.2)).timed_out
    assert (await beside).status == 200


async def test_a_process_that_ends_is_replaced(filters: PythonFilters) -> None:
    assert (await call(filters, "leave")).unreachable
    assert (await call(filters, "add")).status == 200


async def test_after_the_configuration_has_changed_what_is_in_flight_is_finished(filters: PythonFilters) -> None:
    waiting = asyncio.ensure_future(call(filters, "sleep", **{"for": 0.3}))
    await call(filters, "add")
    filters.close()
    assert (await waiting).status == 200
    assert (await call(filters, "add")).status == 200
