"""Aliases: another name, a model by routes of the alias, or several models that share requests."""

from collections.abc import Callable

import pytest

from ext_proc.errors import Uncompilable
from ext_proc.plan.plan import compile_plan
from ext_proc.plan.targets import Member
from ext_proc.routing.models.model import ModelRoute, Share
from protos import filter_config_pb2 as pb
from tests.kit.attempts import CLAUDE, GPT, chain_config


def config(*shares: pb.Share) -> pb.FilterConfig:
    made = chain_config()
    made.aliases.add(name="smart", model=GPT, shares=shares)
    return made


def test_an_alias_without_shares_is_another_name() -> None:
    plan = compile_plan(config())
    assert plan.models.aliases["smart"] is plan.entries[GPT]
    assert not plan.models.splits


def test_routes_of_an_alias_stand_in_for_those_of_its_model() -> None:
    members = [pb.Member(model=CLAUDE, api="messages"), pb.Member(model=GPT, api="chat_completions")]
    route = pb.ModelRoute(api="messages", route="chain/smart(messages)", by_attempt=True, members=members)
    plan = compile_plan(config(pb.Share(model=GPT, weight=1, routes=[route])))
    alias = plan.models.aliases["smart"]
    assert alias.routes["messages"] == ModelRoute(route="chain/smart(messages)", path="", by_attempt=True)
    assert alias.routes["chat_completions"] == plan.entries[GPT].routes["chat_completions"]
    assert plan.entries[GPT].routes["messages"].route != "chain/smart(messages)"
    assert plan.chains["chain/smart(messages)"] == (Member(CLAUDE, "messages"), Member(GPT, "chat_completions"))


def test_weights_add_up() -> None:
    plan = compile_plan(config(pb.Share(model=GPT, weight=9), pb.Share(model=CLAUDE, weight=1)))
    assert plan.models.splits == {"smart": (Share(plan.entries[GPT], 9), Share(plan.entries[CLAUDE], 10))}
    assert b'"smart"' in plan.models_body


@pytest.mark.parametrize(
    ("share", "reason"),
    [
        (lambda: pb.Share(model="ghost", weight=1), "'ghost' is not defined"),
        (lambda: pb.Share(model=CLAUDE), f"gives '{CLAUDE}' no weight"),
    ],
)
def test_says_why_shares_cannot_work(share: Callable[[], pb.Share], reason: str) -> None:
    with pytest.raises(Uncompilable, match=reason):
        compile_plan(config(pb.Share(model=GPT, weight=1), share()))
