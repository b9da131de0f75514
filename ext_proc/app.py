"""The composition root of one worker: builds all parts, serves until stopped, and drains."""

import asyncio
import gc
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from ext_proc.attempt.ejections import Ejections
from ext_proc.attempt.transaction import AttemptTransaction
from ext_proc.clients.config_source import ConfigRejected, ConfigSource
from ext_proc.clients.egress import HttpxEgress
from ext_proc.clients.python_filters import PythonFilters
from ext_proc.clients.semantic_keeper import SemanticKeeper
from ext_proc.clients.session_stores import SessionStores
from ext_proc.clients.source_poller import SourceKeeper
from ext_proc.clients.stream_source import StreamSource
from ext_proc.continuation.transaction import ResumableAnswer, StreamRequest
from ext_proc.decide.request import Services
from ext_proc.decide.session_usage import SessionUsage
from ext_proc.decide.transaction import Transaction
from ext_proc.errors import NotReady, Uncompilable
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.orchestration.answer import OrchestratedAnswer
from ext_proc.parent import OUTLIVES_MASTER_SECONDS, when_parent_ends
from ext_proc.plan.plan import compile_plan
from ext_proc.respond.answer import AnswerHead, OutputFilters
from ext_proc.routing.agents.decision_memory import DecisionMemory
from ext_proc.routing.models.measures import Measures
from ext_proc.server.attempt import AttemptProcessor
from ext_proc.server.continuation import AnswerProcessor
from ext_proc.server.processor import ExternalProcessor, Server
from ext_proc.server.provider_errors import ErrorProcessor
from ext_proc.server.respond import RespondProcessor
from ext_proc.telemetry.metered_egress import MeteredEgress
from ext_proc.telemetry.metrics import Metrics
from ext_proc.telemetry.traced_egress import TracedEgress
from ext_proc.telemetry.tracer import Tracer
from process_log import get_logger
from protos.contract.metadata import METADATA_AGENTS
from protos.filter_config_pb2 import FilterConfig

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_GC_ALLOCATIONS: Final = 10_000
"""Allocations between collections of the young generation; Python's default is 700."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The settings of a worker."""

    number: int
    xds: str
    """gRPC target of the control plane."""
    listen: str
    """Address of this worker."""
    sessions: str = ""
    """File of sessions, which all workers share; empty: sessions are stored in this process."""
    grace_seconds: float = 30.0
    """How long active requests may continue after SIGTERM."""


class Worker:
    """The ExternalProcessor of one process, with the configuration from the control plane."""

    def __init__(self, settings: WorkerSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._services: Services | None = None
        self._mcp_sessions = McpSessions()
        self._egresses: dict[str, HttpxEgress] = {}
        self._sources: dict[str, StreamSource] = {}
        self._python: PythonFilters | None = None
        self._measures = Measures()
        self._ejections = Ejections()
        self._keeper = SourceKeeper(self._measures, metrics.sources)
        self._semantic = SemanticKeeper()
        self._memory = DecisionMemory()
        self._stores = SessionStores(settings.sessions, metrics.sessions)
        self._usage = SessionUsage(lambda: self._stores.current)
        self._tracer = Tracer(metrics.traces.count)
        self._configured = asyncio.Event()
        self._log = get_logger()
        self.server = Server(
            ExternalProcessor(
                self._new_session,
                metrics,
                AttemptProcessor(self._new_attempt, metrics.attempts, self._usage, self._tracer),
                ErrorProcessor(),
                RespondProcessor(self._new_filters, metrics.count_answer),
                self._tracer,
            ),
            AnswerProcessor(self._new_answer, metrics.continuations, metrics.attempts, self._tracer),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then finish active requests."""
        if not self.server.has_predecessor(self._settings.listen):
            await self._listen()
        source = ConfigSource(self._settings.xds, f"ext_proc-{self._settings.number}", self._apply_for_good)
        async with asyncio.TaskGroup() as tasks:
            followers = tasks.create_task(source.follow()), tasks.create_task(self._serve_when_configured())
            tracing = tasks.create_task(self._tracer.run())
            beside = [tasks.create_task(kept.run()) for kept in (self._keeper, self._semantic, self._usage)]
            await stop.wait()
            self._log.info("worker_draining")
            for task in (*followers, *beside):
                task.cancel()
            await self.server.drain(self._settings.grace_seconds)
            # Requests that were active have spans, too.
            tracing.cancel()
        if self._python is not None:
            await self._python.aclose()
        for egress in self._egresses.values():
            await egress.aclose()
        for streams in self._sources.values():
            await streams.aclose()
        await self._stores.aclose()

    def apply(self, config: FilterConfig) -> None:
        """Apply a configuration to requests that begin from now on.

        Raises:
            ConfigRejected: it cannot be compiled; the current one stays.
        """
        try:
            plan = compile_plan(config)
        except Uncompilable as error:
            self._metrics.config_rejected()
            raise ConfigRejected(str(error)) from None
        egress = self._egresses.get(plan.egress_url)
        if egress is None:
            # One per address, of which there is usually one: active requests may still use an older one.
            egress = self._egresses[plan.egress_url] = HttpxEgress(plan.egress_url)
            self._sources[plan.egress_url] = StreamSource(plan.egress_url)
        previous = self._services.plan.version if self._services else None
        sessions = self._stores.use(plan.affinity.store_url)
        self.server.limit_requests(plan.max_request_bytes)
        python = PythonFilters(egress, plan)
        metered = MeteredEgress(TracedEgress(python, plan, self._tracer), plan, self._metrics)
        semantic = self._semantic.follow(plan, metered)
        self._services = Services(plan, metered, self._mcp_sessions, self._measures, sessions, semantic, self._memory)
        # What the code of users is now: it is read again with each configuration.
        python.prepare()
        if self._python is not None:
            self._python.close()
        self._python = python
        self._keeper.follow(plan, egress)
        self._tracer.follow(plan.tracing, egress)
        self._mcp_sessions.keep_only(frozenset(plan.filters.values()))
        self._metrics.config_updated(plan.version, previous)
        self._log.info("config_applied", version=plan.version)
        self._configured.set()

    def _apply_for_good(self, config: FilterConfig) -> None:
        is_first = self._services is None
        self.apply(config)
        _leave_to_gc_only_what_requests_make(is_first=is_first)

    def _new_session(self, listener: str, traceparent: str) -> Transaction:
        return Transaction(listener, self._services, traceparent=traceparent)

    def _new_attempt(self) -> AttemptTransaction:
        return AttemptTransaction(self._services.plan if self._services else None, self._ejections)

    def _new_answer(self, request: StreamRequest) -> ResumableAnswer | OrchestratedAnswer:
        services = self._services
        plan = services.plan if services else None
        source = self._sources[plan.egress_url] if plan else None
        if METADATA_AGENTS not in request.metadata:
            return ResumableAnswer(plan, source, request)
        return OrchestratedAnswer(
            plan=plan,
            source=source,
            egress=services.egress if services else None,
            mcp_sessions=self._mcp_sessions,
            request=request,
            answer_id=uuid4().hex,
        )

    def _new_filters(self, listener: str, head: AnswerHead) -> OutputFilters | None:
        services = self._services
        if services is None:
            raise NotReady("The gateway has no configuration for this listener yet.")
        known = services.plan.listeners.get(listener)
        if known is None or not known.output_filters:
            return None
        return OutputFilters(filters=known.output_filters, egress=services.egress, mcp_sessions=self._mcp_sessions, head=head)

    async def _listen(self) -> None:
        port = await self.server.start(self._settings.listen)
        self._log.info("worker_listening", address=self._settings.listen, port=port)

    async def _serve_when_configured(self) -> None:
        await self._configured.wait()
        self.server.set_serving(True)
        if not self.server.is_listening:
            # Only now: until then the previous worker serves.
            await self._listen()


def _leave_to_gc_only_what_requests_make(*, is_first: bool) -> None:
    """Exclude all objects of the configuration from garbage collection, and collect less often.

    A body of 100,000 arrays took 56 ms to parse while each collection walked all objects, and takes 5 ms now. Collected memory
    is no longer shared with the master, which is acceptable when it frees an earlier configuration.
    """
    if not is_first:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_ALLOCATIONS)


async def run_worker(settings: WorkerSettings) -> None:
    """Run a worker until SIGTERM, SIGINT, or until the master has ended and a worker of the next one has taken over."""
    stop, orphaned = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    when_parent_ends(loop, orphaned)
    worker = Worker(settings, Metrics())
    async with asyncio.TaskGroup() as tasks:
        outliving = tasks.create_task(_outlive_master(worker.server, orphaned, stop))
        await worker.run(stop)
        outliving.cancel()


async def _outlive_master(server: Server, orphaned: asyncio.Event, stop: asyncio.Event) -> None:
    await orphaned.wait()
    with suppress(TimeoutError):
        async with asyncio.timeout(OUTLIVES_MASTER_SECONDS):
            await server.succeeded()
    stop.set()
