from collections.abc import Callable

import pytest

from ext_proc.errors import Uncompilable
from ext_proc.plan.plan import compile_plan
from ext_proc.plan.targets import Member, Target
from protos import filter_config_pb2 as pb
from protos.contract.quirks import Quirks, Rule, encode_rules
from tests.kit.attempts import CLAUDE, GPT, chain_config


def test_targets_and_chains_are_looked_up_by_name() -> None:
    plan = compile_plan(chain_config())
    assert plan.targets[CLAUDE, "messages"] == Target(
        path="/v1/messages", route=f"target/{CLAUDE}", failover_route=f"failover/target/{CLAUDE}"
    )
    assert plan.chains[f"chain/{GPT}(messages)"] == (Member(GPT, "chat_completions"), Member(CLAUDE, "messages"))
    assert plan.entries[GPT].routes["messages"].by_attempt


def test_quirks_are_those_of_the_model_that_is_asked() -> None:
    config = chain_config()
    rules = (Rule(quirks={"max_tokens_field": "max_tokens"}), Rule(models="mini$", quirks={"efforts": ("low", "high")}))
    config.models[0].targets[0].quirks = encode_rules(rules)
    table = compile_plan(config).targets[GPT, "chat_completions"].quirks
    assert table.of("gpt-large") == Quirks(max_tokens_field="max_tokens")
    assert table.of("GPT-mini") == Quirks(max_tokens_field="max_tokens", efforts=("low", "high"))


def _twice(config: pb.FilterConfig) -> None:
    config.models[0].targets.add(api="chat_completions", path="/x")


def _nobody(config: pb.FilterConfig) -> None:
    config.models[0].routes[0].members.add(model="nobody", api="messages")


def _nothing(config: pb.FilterConfig) -> None:
    del config.models[0].routes[0].members[:]


def _differs(config: pb.FilterConfig) -> None:
    config.models[1].routes[0].route = config.models[0].routes[1].route


def _untranslatable(config: pb.FilterConfig) -> None:
    config.models[0].routes[0].members.add(model=CLAUDE, api="messages")


def _quirk(config: pb.FilterConfig) -> None:
    config.models[0].targets[0].quirks = '[{"thinks":"hard"}]'


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_twice, "is there twice"),
        (_nobody, "which is no target"),
        (_nothing, "has no members"),
        (_differs, "has two chains"),
        (_untranslatable, "cannot be translated"),
        (_quirk, "no quirks: thinks"),
    ],
)
def test_what_cannot_work_is_said(spoil: Callable[[pb.FilterConfig], None], message: str) -> None:
    config = chain_config()
    spoil(config)
    with pytest.raises(Uncompilable, match=message):
        compile_plan(config)
