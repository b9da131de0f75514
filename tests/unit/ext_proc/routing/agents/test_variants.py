"""Variants of an agent: shares of conversations, which stay where they are, and headers that override them."""

from dataclasses import replace

import pytest

from ext_proc.apis.conversation import Turn
from ext_proc.routing.agents.agent import Agent, Variant
from ext_proc.routing.agents.variants import pick_variant

OLD = Agent(id="old", description="", route="agent/old")
CANARY = replace(OLD, id="canary", route="agent/canary")
BETA = replace(OLD, id="beta", route="agent/beta")


def shared(canary: int, beta: int = 0, header: str = "", value: str = "") -> Agent:
    others = Variant(agent=CANARY, weight=canary), Variant(agent=BETA, weight=beta, header=header, value=value)
    return replace(OLD, variants=others)


def picked(agent: Agent, question: str = "", **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return pick_variant(agent, named, (Turn("user", question), Turn("assistant", "Well."), Turn("user", "And then?"))).id


def test_conversations_are_shared_by_weight() -> None:
    chosen = [picked(shared(10, 30), f"question {number}") for number in range(5000)]
    assert chosen.count("canary") == pytest.approx(500, rel=0.2)
    assert chosen.count("beta") == pytest.approx(1500, rel=0.1)


def test_a_conversation_stays_where_it_is() -> None:
    agent = shared(50)
    for number in range(50):
        first = Turn("user", f"question {number}")
        assert len({pick_variant(agent, {}, (first, *[Turn("user", "more")] * turns)).id for turns in range(4)}) == 1
        assert len({picked(agent, f"question {n}", x_model_affinity=f"chat {number}") for n in range(4)}) == 1


def test_a_canary_keeps_its_conversations_as_it_grows() -> None:
    before = {number for number in range(500) if picked(shared(10), str(number)) == "canary"}
    after = {number for number in range(500) if picked(shared(30), str(number)) == "canary"}
    assert before < after


@pytest.mark.parametrize(
    ("headers", "chosen"), [({"x_beta": "yes"}, "beta"), ({"x_beta": "no"}, "old"), ({}, "old"), ({"other": "yes"}, "old")]
)
def test_a_header_leads_to_a_variant(headers: dict[str, str], chosen: str) -> None:
    assert picked(shared(0, 0, "x-beta", "yes"), **headers) == chosen
    assert picked(shared(0, 0, "x-beta"), **headers) == ("beta" if "x_beta" in headers else "old")
