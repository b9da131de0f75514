"""`python -m ext_proc.evaluation`: decides conversations for `plano eval`, without answering them.

Reads one JSON object from standard input:

    {"config": base64 of a FilterConfig, "listener": its name, "conversations": [[messages of Chat Completions], ...]}

and writes one JSON object a line for each conversation, in order:

    {"names": [...], "rung": "semantic", "reason": "...", "seconds": 0.012}    names are empty if nothing matches
    {"error": "..."}                                                            its messages are no conversation

The built-in embedding model runs in this process; models of providers are called through Envoy's egress listener.
"""

import asyncio
import base64
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import cache
from typing import Any, Final

import orjson

from ext_proc.apis.api import Api
from ext_proc.apis.conversation import read_conversation
from ext_proc.clients.egress import HttpxEgress
from ext_proc.clients.semantic_keeper import SemanticKeeper
from ext_proc.errors import RequestError
from ext_proc.plan.listeners import ListenerKind
from ext_proc.plan.plan import Plan, compile_plan
from ext_proc.ports import Egress, EgressResponse
from ext_proc.routing.agents.agent import Orchestrator
from ext_proc.routing.agents.agent_pool import AgentPool
from ext_proc.routing.agents.ladder import Match, find_match
from ext_proc.routing.agents.semantic_rung import SemanticRung
from process_log import configure_logging
from protos.filter_config_pb2 import FilterConfig

NOTHING: Final = "nothing_fits"
"""Rung of conversations that go to the default agent, or keep the model that they ask for."""


class EvaluationEgress:
    """An Egress with the embedder in this process."""

    def __init__(self, plan: Plan, egress: Egress, embed: Callable[[bytes], bytes]) -> None:
        self._egress = egress
        self._embed = embed
        self._built_in = plan.embedding.route if plan.embedding and plan.embedding.is_built_in else None

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        """See `ports.Egress.post`."""
        if route == self._built_in:
            return EgressResponse(200, {}, self._embed(body))
        return await self._egress.post(route, path, headers=headers, body=body, timeout_seconds=timeout_seconds)


async def decide_all(plan: Plan, listener: str, conversations: list[Any], egress: Egress) -> AsyncIterator[dict[str, Any]]:
    """Yield the decision for each conversation, one at a time, so that times are those of an idle gateway."""
    keeper = SemanticKeeper()
    semantic = keeper.follow(plan, egress)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(keeper.run())
        await keeper.prepared()
        running.cancel()
    pool, orchestrator = _choice(plan, listener)
    for messages in conversations:
        yield await _decide(messages, pool, orchestrator, semantic, egress)


async def _decide(
    messages: object, pool: AgentPool, orchestrator: Orchestrator | None, semantic: SemanticRung | None, egress: Egress
) -> dict[str, Any]:
    try:
        conversation = read_conversation(Api.CHAT_COMPLETIONS, {"messages": messages})
    except RequestError as error:
        return {"error": error.public_message}
    started = time.perf_counter()
    match = await find_match(pool, conversation, egress=egress, orchestrator=orchestrator, headers={}, semantic=semantic)
    seconds = time.perf_counter() - started
    names, rung = (match.names, match.rung) if isinstance(match, Match) else ((), NOTHING)
    return {"names": names, "rung": rung, "reason": match.reason, "seconds": seconds}


def _choice(plan: Plan, listener: str) -> tuple[AgentPool, Orchestrator | None]:
    """Return a listener's candidates and its routing model."""
    offered = plan.listeners[listener]
    if offered.kind is ListenerKind.AGENT:
        return offered.pool, plan.orchestrator
    assert plan.preferences is not None, "who asks knows that there are some"
    return plan.preferences.pool, plan.routing_model


@cache
def _embedder() -> Callable[[bytes], bytes]:
    # Imported here because they are an optional extra.
    from ext_proc.embedder.files import model_file, tokenizer_file
    from ext_proc.embedder.model import SentenceModel
    from ext_proc.embedder.server import read_request, render_answer

    model = SentenceModel(model_file(), tokenizer_file())

    def embed(body: bytes) -> bytes:
        texts, is_base64 = read_request(body)
        return orjson.dumps(render_answer(model.embed(texts), is_base64=is_base64))

    return embed


async def _run() -> None:
    asked = orjson.loads(sys.stdin.buffer.read())
    plan = compile_plan(FilterConfig.FromString(base64.b64decode(asked["config"])))
    through_envoy = HttpxEgress(plan.egress_url)
    egress = EvaluationEgress(plan, through_envoy, lambda body: _embedder()(body))
    async for outcome in decide_all(plan, asked["listener"], asked["conversations"], egress):
        sys.stdout.buffer.write(orjson.dumps(outcome) + b"\n")
    await through_envoy.aclose()


if __name__ == "__main__":
    configure_logging("ERROR", service="evaluation")
    asyncio.run(_run())
