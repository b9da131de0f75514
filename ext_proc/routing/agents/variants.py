"""Which variant of an agent answers: by a header of the request, or by the conversation's share of a hundred."""

from collections.abc import Mapping
from typing import Final
from zlib import crc32

from ext_proc.apis.conversation import Conversation
from ext_proc.routing.agents.agent import Agent
from protos.contract.headers import AFFINITY_HEADER

_PERCENT: Final = 100


def pick_variant(agent: Agent, headers: Mapping[str, str], conversation: Conversation) -> Agent:
    """Return the agent that answers in an agent's place, or the agent itself.

    The same conversation always meets the same one: as long as the client names it so, or as its first question is the same.
    """
    for variant in agent.variants:
        if variant.header in headers and variant.value in ("", headers[variant.header]):
            return variant.agent
    point = crc32(f"{agent.id}/{_name(headers, conversation)}".encode(errors="surrogatepass")) % _PERCENT
    for variant in agent.variants:
        if point < variant.weight:
            return variant.agent
        point -= variant.weight
    return agent


def _name(headers: Mapping[str, str], conversation: Conversation) -> str:
    named = headers.get(AFFINITY_HEADER, "").strip()
    return named or next((turn.text for turn in conversation if turn.role == "user"), "")
