"""The modes of orchestration: order and input of calls, and the parts that the client gets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ext_proc.codec.json_body import JsonObject
from ext_proc.orchestration.calls import AgentCalls, AgentFailed, Draft, Feed, Recording
from ext_proc.orchestration.delivery import Delivery
from ext_proc.orchestration.evaluation import Evaluate
from ext_proc.orchestration.history import with_answers, with_feedback, with_task
from ext_proc.orchestration.part import Part
from ext_proc.plan.orchestration import Mode, Orchestration
from ext_proc.routing.agents.agent import Agent, Orchestrator
from protos.contract.headers import VERDICT_HEADER

_SYNTHESIS = (
    "Several assistants have answered the user's last question independently; their answers stand before it. "
    "Write the one answer that the user gets: complete, without repetition, without naming the assistants. "
    "Where they contradict each other, say so."
)


@dataclass(slots=True, kw_only=True)
class Performance:
    """One request, answered by several agents."""

    settings: Orchestration
    agents: Sequence[Agent]
    """Those that were named, in their order; at least one."""
    body: JsonObject
    calls: AgentCalls
    delivery: Delivery
    evaluate: Evaluate
    failures: list[AgentFailed] = field(default_factory=list)

    async def perform(self) -> None:
        """Answer.

        Raises:
            AgentFailed: there is no answer, or it ends here; the client has not received an error yet.
        """
        alone = len(self.agents) == 1 and self.settings.mode is not Mode.LOOP
        modes = {Mode.SEQUENCE: self._sequence, Mode.PARALLEL: self._parallel, Mode.FIRST: self._first, Mode.LOOP: self._loop}
        await modes[Mode.SEQUENCE if alone else self.settings.mode]()
        if not any(part.is_complete for part in self.delivery.parts):
            raise self.failures[-1]
        await self.delivery.finish()

    async def _sequence(self) -> None:
        for number, agent in enumerate(self.agents, 1):
            body = with_answers(self.calls.api, self.body, self._answers())
            part = await self._play(agent.id, self.calls.feed(agent, body), shown=self._shows(number))
            if part is not None and part.calls_tools:
                return  # The client has to run them first.

    async def _parallel(self) -> None:
        synthesizer = self.settings.role
        async with self._recorded() as recordings:
            for number, (agent, recording) in enumerate(recordings, 1):
                await self._play(agent.id, recording.play, shown=synthesizer is None and self._shows(number))
        if synthesizer is not None and (answers := self._answers()):
            body = with_task(self.calls.api, with_answers(self.calls.api, self.body, answers), _SYNTHESIS)
            name = synthesizer.model if isinstance(synthesizer, Orchestrator) else synthesizer.id
            await self._play(name, self.calls.feed(synthesizer, body), shown=True, labelled=False)

    async def _first(self) -> None:
        async with self._recorded() as recordings:
            waiting = list(recordings)
            while waiting:
                agent, recording = await _first_to_begin(waiting)
                waiting.remove((agent, recording))
                if recording.failure is None or not waiting:
                    await self._play(agent.id, recording.play, shown=True, labelled=False)
                    return
                self.failures.append(recording.failure)

    async def _loop(self) -> None:
        drafter, body = self.agents[0], self.body
        for number in range(1, self.settings.max_rounds + 1):
            draft = Draft()
            await self.calls.feed(drafter, body)(draft.put)
            part = await self.delivery.play(drafter.id, draft.play, shown=False, labelled=False)
            verdict = await self.evaluate(self.body, part)
            if verdict.passes or number == self.settings.max_rounds:
                break
            body = with_feedback(self.calls.api, self.body, part.text, verdict.feedback)
        self.delivery.headers[VERDICT_HEADER] = f"{verdict.word}; drafts={number}"
        self.delivery.parts.pop()  # Play it for the client.
        await self.delivery.play(drafter.id, draft.play, shown=True, labelled=False)

    async def _play(self, agent: str, feed: Feed, *, shown: bool, labelled: bool = True) -> Part | None:
        """Add a part; None if there is none, and the answer continues without it."""
        has_label = labelled and self.settings.labels and self.settings.shows_all and len(self.agents) > 1
        try:
            return await self.delivery.play(agent, feed, shown=shown, labelled=has_label)
        except AgentFailed as failure:
            self.failures.append(failure)
            if self.settings.stops_on_failure or len(self.agents) == 1:
                raise
            if shown:
                await self.delivery.note(f"({agent} could not answer.)")
            return None

    def _shows(self, number: int) -> bool:
        """Whether the client gets the part of the agent with this number, from 1."""
        return self.settings.shows_all or number == len(self.agents)

    def _answers(self) -> list[Part]:
        return [part for part in self.delivery.parts if part.is_complete]

    @asynccontextmanager
    async def _recorded(self) -> AsyncIterator[list[tuple[Agent, Recording]]]:
        """Call all agents; those that still answer at the end are cancelled."""
        recordings = [(agent, Recording(self.calls.feed(agent, self.body))) for agent in self.agents]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(recording.run()) for _, recording in recordings]
            try:
                yield recordings
            finally:
                for task in tasks:
                    task.cancel()


async def _first_to_begin(waiting: Sequence[tuple[Agent, Recording]]) -> tuple[Agent, Recording]:
    async with asyncio.TaskGroup() as group:
        tasks = {group.create_task(recording.has_begun.wait()): (agent, recording) for agent, recording in waiting}
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
    return next(runner for task, runner in tasks.items() if task in done)
