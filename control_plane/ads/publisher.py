"""Publishes a new configuration to all clients in steps, so that no request sees half of it, and rolls it back on a rejection.

    step        clients   what they are served                                        continues when
    clusters    Envoys    clusters, endpoints, secrets: old and new together          all acknowledged (Envoy: and warmed up)
    routes      Envoys    route tables: old and new together                          all acknowledged, and after a delay
    decisions   ext_proc  the new FilterConfig                                        all acknowledged
    listeners   Envoys    the new listeners                                           all acknowledged: published
    (grace)               requests that were decided by the old configuration end
    retirement  Envoys    the new route tables alone, then the new clusters alone

A rejection, or a missing answer, rolls everything back; the old routes and clusters are kept until the end for that.
A newer candidate replaces one that waits for Envoy in the first two steps, before ext_proc has received it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from control_plane.ads.clients import Clients, Nack
from control_plane.ads.snapshot import NOTHING, ResourceSet, Snapshot
from control_plane.ads.subscription import Verdict
from control_plane.ads.types import CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET, SERVED_TO, Role, short_name
from control_plane.ads.views import Views

MergeRoutes = Callable[[bytes, bytes], bytes]
"""Merges (old, new) route tables of one listener; the new one's routes have precedence."""

UPSTREAMS = (CLUSTER, ENDPOINT, SECRET)

_log = structlog.get_logger(__name__)


class OutcomeKind(StrEnum):
    """How a publication ended."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a publication ended, and which clients rejected it."""

    kind: OutcomeKind
    nacks: tuple[Nack, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Time limits of the steps."""

    ack_seconds: float = 5.0
    warm_seconds: float = 20.0
    """For clusters: Envoy acknowledges them once their names are resolved."""
    overlap_seconds: float = 0.2
    """Delay between new routes and decisions that use them: Envoy routes a request by the table at its start, so requests that
    began with the old one must have reached ext_proc before ext_proc receives the new configuration."""
    rollback_seconds: float = 1.0
    """Time limit of each step of a rollback, which is short because clients have already had time to answer."""
    grace_seconds: float = 5.0
    """How long removed resources stay available for requests that were decided before."""


@dataclass(frozen=True, slots=True)
class _Job:
    candidate: Snapshot
    outcome: asyncio.Future[Outcome]


class _Superseded(Exception):
    """A newer candidate is waiting."""


class _Nacked(Exception):
    def __init__(self, nacks: tuple[Nack, ...]) -> None:
        self.nacks = nacks


class Publisher:
    """Publishes one candidate at a time; if it fails, the last good one stays."""

    def __init__(self, views: Views, clients: Clients, *, merge_routes: MergeRoutes, timing: Timing | None = None) -> None:
        self.good = NOTHING
        """The last published candidate."""
        self._views = views
        self._clients = clients
        self._merge_routes = merge_routes
        self._timing = timing or Timing()
        self._waiting: _Job | None = None
        self._offered = asyncio.Event()

    async def publish(self, candidate: Snapshot) -> Outcome:
        """Publish a candidate and return the outcome. `run` must be running."""
        if self._waiting is not None:
            _complete(self._waiting, Outcome(kind=OutcomeKind.SUPERSEDED))
        job = _Job(candidate, asyncio.get_running_loop().create_future())
        self._waiting = job
        self._offered.set()
        self._clients.changed.fire()
        return await job.outcome

    async def run(self) -> None:
        """Publish and retire until cancelled."""
        while True:
            if not await self._is_offered_in_time():
                await self._retire()
                continue
            job, self._waiting = self._waiting, None
            self._offered.clear()
            if job is not None:
                await self._do(job)

    async def _do(self, job: _Job) -> None:
        before = self._views.of(Role.ENVOY)
        try:
            outcome = await self._publish(job.candidate)
        except Exception as error:  # noqa: BLE001 - the caller of publish reports it; the next candidate needs this task
            await self._take_back(before)
            if not job.outcome.done():
                job.outcome.set_exception(error)
        else:
            _complete(job, outcome)

    async def _is_offered_in_time(self) -> bool:
        """Wait for a candidate, at most until the next retirement is due."""
        seconds = self._timing.grace_seconds if self._has_leftovers() else None
        try:
            async with asyncio.timeout(seconds):
                await self._offered.wait()
        except TimeoutError:
            return False
        return True

    async def _publish(self, candidate: Snapshot) -> Outcome:
        if self.good is NOTHING:  # no request can be active
            for role in Role:
                self._views.show(role, candidate)
            self.good = candidate
            return Outcome(kind=OutcomeKind.PUBLISHED)
        if not candidate.changed_types(self.good):
            return Outcome(kind=OutcomeKind.UNCHANGED)
        return await self._roll_out(candidate)

    async def _roll_out(self, candidate: Snapshot) -> Outcome:
        before = self._views.of(Role.ENVOY)
        try:
            await self._show_beside(before, candidate)
        except _Superseded:
            self._views.show(Role.ENVOY, before)
            return Outcome(kind=OutcomeKind.SUPERSEDED)
        except _Nacked as refused:
            await self._take_back(before)
            return Outcome(kind=OutcomeKind.REJECTED, nacks=refused.nacks)
        beside = self._views.of(Role.ENVOY)
        try:
            await self._switch(candidate)
        except _Nacked as refused:
            await self._take_back(beside.replacing({LISTENER: before.of_type(LISTENER)}))
            return Outcome(kind=OutcomeKind.REJECTED, nacks=refused.nacks)
        self.good = candidate
        return Outcome(kind=OutcomeKind.PUBLISHED)

    async def _show_beside(self, before: Snapshot, candidate: Snapshot) -> None:
        """Serve Envoy the union of the new and the old resources."""
        upstreams = {t: before.of_type(t).union(candidate.of_type(t)) for t in UPSTREAMS}
        await self._show(Role.ENVOY, before.replacing(upstreams), can_be_superseded=True)
        routes = await asyncio.to_thread(_beside, before.of_type(ROUTE), candidate.of_type(ROUTE), self._merge_routes)
        await self._show(Role.ENVOY, before.replacing({**upstreams, ROUTE: routes}), can_be_superseded=True)
        if routes.version != before.of_type(ROUTE).version and self._clients.of(Role.ENVOY):
            await self._clients.until(self._is_superseded, seconds=self._timing.overlap_seconds)
            if self._is_superseded():
                raise _Superseded

    async def _switch(self, candidate: Snapshot) -> None:
        """Switch ext_proc, then Envoy's listeners, to the new configuration."""
        await self._show(Role.EXT_PROC, candidate)
        view = self._views.of(Role.ENVOY)
        await self._show(Role.ENVOY, view.replacing({LISTENER: candidate.of_type(LISTENER)}))

    async def _take_back(self, envoy: Snapshot) -> None:
        """Return to the last good configuration, ext_proc first, so that no decision names a route that Envoy has lost."""
        for role, view in ((Role.EXT_PROC, self.good), (Role.ENVOY, envoy)):
            try:
                await self._show(role, view, seconds=self._timing.rollback_seconds)
            except _Nacked as refused:
                _log_nacks("rollback_refused", refused.nacks)

    async def _retire(self) -> None:
        """Remove what only the previous configuration needed: routes before their clusters."""
        view = self._views.of(Role.ENVOY)
        for target in (view.replacing({ROUTE: self.good.of_type(ROUTE)}), self.good):
            try:
                await self._show(Role.ENVOY, target, can_be_superseded=True)
            except _Superseded:
                return
            except _Nacked as refused:
                _log_nacks("retirement_refused", refused.nacks)

    def _has_leftovers(self) -> bool:
        return self.good is not NOTHING and bool(
            self._views.of(Role.ENVOY).changed_types(self.good.only(SERVED_TO[Role.ENVOY]))
        )

    async def _show(
        self, role: Role, snapshot: Snapshot, *, can_be_superseded: bool = False, seconds: float | None = None
    ) -> None:
        """Serve a snapshot to a role, and wait until all its clients have accepted what changed.

        Raises:
            _Refused: A client rejected it, or gave no answer in time.
            _Superseded: There is a newer candidate.
        """
        if can_be_superseded and self._is_superseded():
            raise _Superseded
        target = snapshot.only(SERVED_TO[role])
        changed = self._views.of(role).changed_types(target)
        if not changed:
            return
        self._views.show(role, target)
        if seconds is None:
            seconds = self._timing.warm_seconds if CLUSTER in changed else self._timing.ack_seconds

        def is_decided() -> bool:
            return (can_be_superseded and self._is_superseded()) or self._verdict(role, changed) is not Verdict.PENDING

        is_in_time = await self._clients.until(is_decided, seconds=seconds)
        verdict = self._verdict(role, changed)
        if is_in_time and verdict is Verdict.PENDING:
            raise _Superseded
        if verdict is not Verdict.ACKED:
            raise _Nacked(self._objections(role, changed, seconds))

    def _is_superseded(self) -> bool:
        return self._waiting is not None

    def _verdict(self, role: Role, type_urls: frozenset[str]) -> Verdict:
        """Return the worst verdict of all clients; clients that disconnect do not count."""
        view = self._views.of(role)
        verdicts = {client.verdict(type_url, view) for client in self._clients.of(role) for type_url in type_urls}
        return next((v for v in (Verdict.REJECTED, Verdict.PENDING) if v in verdicts), Verdict.ACKED)

    def _objections(self, role: Role, type_urls: frozenset[str], seconds: float) -> tuple[Nack, ...]:
        """Describe which clients rejected what, or else which gave no answer."""
        view = self._views.of(role)
        verdicts = [(c, t, c.verdict(t, view)) for c in self._clients.of(role) for t in sorted(type_urls)]
        rejected = tuple(client.nack(type_url) for client, type_url, verdict in verdicts if verdict is Verdict.REJECTED)
        silent = f"no answer within {seconds:g} s"
        return rejected or tuple(
            Nack(node_id=client.node_id, role=role, type_url=type_url, message=silent)
            for client, type_url, verdict in verdicts
            if verdict is Verdict.PENDING
        )


def _beside(old: ResourceSet, new: ResourceSet, merge: MergeRoutes) -> ResourceSet:
    """Return the route tables of both snapshots; tables that are in both are merged."""
    merged = {name: merge(value, new.values[name]) for name, value in old.values.items() if _differs(name, value, new)}
    return old.union(new).union(ResourceSet.of(merged))


def _differs(name: str, value: bytes, other: ResourceSet) -> bool:
    return other.values.get(name, value) != value


def _complete(job: _Job, outcome: Outcome) -> None:
    if not job.outcome.done():
        job.outcome.set_result(outcome)


def _log_nacks(event: str, nacks: tuple[Nack, ...]) -> None:
    for nack in nacks:
        _log.error(event, node_id=nack.node_id, type=short_name(nack.type_url), message=nack.message)
