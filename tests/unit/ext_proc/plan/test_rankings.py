"""Rankings that requests bring along: which models they can be of, and by which routes."""

import pytest

from ext_proc.errors import Uncompilable
from ext_proc.plan.plan import compile_plan
from protos import filter_config_pb2 as pb
from tests.kit.attempts import CLAUDE, GPT, TOGETHER, chain_config


def config() -> pb.FilterConfig:
    made = chain_config()
    for model in made.models:
        for target in model.targets:
            target.route = f"failover/{model.name}" if model.name in (GPT, CLAUDE, TOGETHER) else ""
    made.rankings.add(api="messages", route="chain/(ranked)(messages)", stream_route="s", by_attempt=True)
    return made


def test_models_that_attempts_can_go_on_to_can_be_ranked_but_for_wildcards() -> None:
    plan = compile_plan(config())
    assert plan.rankings["s"] == plan.rankings["chain/(ranked)(messages)"]
    assert {member.model: member.api for member in plan.rankings["s"].values()} == {GPT: "chat_completions", CLAUDE: "messages"}
    assert plan.ranked_models.keys() == {GPT, CLAUDE}
    ranked = plan.ranked_models[GPT].routes
    assert (ranked["messages"].route, ranked["messages"].stream_route) == ("chain/(ranked)(messages)", "s")
    assert ranked["responses"] == plan.entries[GPT].routes["responses"]


def test_a_ranking_has_no_members_of_its_own() -> None:
    made = config()
    made.rankings[0].members.add(model=GPT, api="chat_completions")
    with pytest.raises(Uncompilable, match="members of its own"):
        compile_plan(made)
