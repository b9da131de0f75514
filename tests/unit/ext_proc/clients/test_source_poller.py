"""When sources are asked, and what stays known when they fail: with answers and a clock of the test's own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from prometheus_client import CollectorRegistry

from ext_proc.clients.source_poller import SourceKeeper
from ext_proc.plan.plan import Plan, compile_plan
from ext_proc.ports import EgressResponse
from ext_proc.routing.models.measures import Measures
from ext_proc.routing.models.resolve import ResolvedModel
from ext_proc.telemetry.source_metrics import SourceMetrics
from protos import filter_config_pb2 as pb
from tests.kit.filter_configs import filter_config


def answer(status: int = 200, body: object = None, flags: str = "") -> EgressResponse:
    return EgressResponse(status, {}, body if isinstance(body, bytes) else orjson.dumps(body), flags)


def priced(dollars: float) -> EgressResponse:
    return answer(body={"openai": {"models": {"gpt-4o": {"cost": {"input": dollars, "output": 0}}}}})


@dataclass
class World:
    """Answers in turn; sleeps end when the test says so."""

    answers: list[EgressResponse]
    asked: list[tuple[str, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    wakes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    measures: Measures = field(default_factory=Measures)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    async def get(self, route: str, path: str, *, headers: Mapping[str, str], timeout_seconds: float) -> EgressResponse:
        self.asked.append((route, path))
        return self.answers.pop(0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.idle.set()
        await self.wakes.acquire()

    async def wake(self) -> None:
        """Let the next sleep end, and wait for the one after it, or for nothing more to be done."""
        self.idle.clear()
        self.wakes.release()
        await self.quiet()

    async def quiet(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    def cost(self) -> float | None:
        gpt = compile_plan(filter_config()).entries["openai/gpt-4o"]
        return self.measures.cost(ResolvedModel(gpt, "gpt-4o", "exact"))

    def count(self, outcome: str) -> float:
        labels = {"source": "cost", "outcome": outcome}
        return self.registry.get_sample_value("plano_source_refreshes_total", labels) or 0


def plan(*sources: pb.Source) -> Plan:
    config = filter_config()
    config.sources.extend(sources)
    return compile_plan(config)


def source(interval: float = 60, path: str = "/api.json") -> pb.Source:
    return pb.Source(feed="models.dev", route="source/cost", path=path, interval_seconds=interval)


def keeper(world: World) -> SourceKeeper:
    return SourceKeeper(world.measures, SourceMetrics(world.registry), sleep=world.sleep)


async def test_what_is_known_survives_every_kind_of_failure() -> None:
    failures = [
        answer(500),
        answer(503, flags="UF"),
        answer(504, flags="UT"),
        answer(body=b"<html>"),
        answer(body={"openai": {}}),
    ]
    world = World([priced(1), *failures, priced(2)])
    keeping = keeper(world)
    keeping.follow(plan(source()), world)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(keeping.run())
        await world.quiet()
        assert world.cost() is None
        for _ in range(6):
            await world.wake()
            assert world.cost() == 1
        await world.wake()
        assert world.cost() == 2
        running.cancel()
    assert world.asked == [("source/cost", "/api.json")] * 7
    # In its own time when all is well, soon and then less soon when not.
    assert world.slept[:2] == [0.5, 60]
    assert world.slept[2:7] == [60, 60, 60, 60, 60]
    counted = {outcome: world.count(outcome) for outcome in ("ok", "status", "unreachable", "timeout", "unreadable")}
    assert counted == {"ok": 2, "status": 1, "unreachable": 1, "timeout": 1, "unreadable": 2}
    assert world.registry.get_sample_value("plano_source_last_success_timestamp_seconds", {"source": "cost"})


async def test_without_an_interval_a_source_is_asked_until_it_has_answered() -> None:
    world = World([answer(500), answer(500), answer(500), priced(3)])
    keeping = keeper(world)
    keeping.follow(plan(source(interval=0)), world)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(keeping.run())
        await world.quiet()
        for _ in range(4):
            await world.wake()
        assert (world.cost(), world.answers) == (3, [])
        running.cancel()
    assert world.slept == [0.5, 1, 2, 4]


async def test_a_change_of_something_else_asks_nobody_again() -> None:
    world = World([priced(1), priced(2)])
    keeping = keeper(world)
    keeping.follow(plan(source()), world)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(keeping.run())
        await world.quiet()
        await world.wake()
        keeping.follow(plan(source()), world)
        await world.quiet()
        assert (world.cost(), len(world.slept)) == (1, 2)
        keeping.follow(plan(source(path="/other.json")), world)
        await world.quiet()
        assert (world.cost(), world.slept[2:]) == (1, [0.5])
        await world.wake()
        assert (world.cost(), world.asked[-1]) == (2, ("source/cost", "/other.json"))
        keeping.follow(plan(), world)
        assert world.cost() is None
        running.cancel()
