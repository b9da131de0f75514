"""A thousand agents and a thousand models: loaded, translated, acknowledged by Envoy, and the last of each answers.

How long that takes is measured by `python -m benchmarks.scale`.
"""

import asyncio
import copy
from pathlib import Path

import pytest

from tests.e2e.load import until
from tests.e2e.stage import USUAL
from tests.kit.actor import acting
from tests.kit.plano_up import plano_up

pytestmark = [pytest.mark.xdist_group("e2e-change"), pytest.mark.timeout(240)]

COUNT = 1_000
QUESTION = {"messages": [{"role": "user", "content": f"Ask agent {COUNT - 1} about topic{COUNT - 1}"}]}


async def test_a_thousand_agents_and_models(tmp_path: Path) -> None:
    async with asyncio.timeout(200), acting(USUAL["weather"]) as agent, acting(USUAL["provider"]) as provider:
        names = [f"agent-{number}" for number in range(COUNT)]
        offered = [{"id": name, "description": f"Knows about topic{number}."} for number, name in enumerate(names)]
        models = [
            {"model": f"openai/model-{number}", "base_url": provider.url, "access_key": "$KEY"} for number in range(COUNT)
        ]
        small = {
            "agents": [{"id": names[0], "url": agent.url}],
            "model_providers": models[:1],
            "listeners": [{"type": "agent", "name": "all", "agents": offered[:1]}, {"type": "model", "name": "models"}],
        }
        # Which of a thousand numbers is meant is a matter of words.
        small["overrides"] = {"agent_embedding_model": "none"}
        async with plano_up(small, tmp_path, env={"KEY": "sk-secret-scale"}) as gateway:
            large = copy.deepcopy(gateway.config) | {"agents": [{"id": name, "url": agent.url} for name in names]}
            large["model_providers"], large["listeners"][0]["agents"] = models, offered
            gateway.write(large)
            await until(lambda: len(gateway.state()["listeners"][0]["serves"]) == COUNT, seconds=120)
            assert gateway.state()["state"] == "ok"
            envoy = next(client for client in gateway.state()["clients"] if client["role"] == "envoy")
            assert {"cds", "eds", "lds", "rds", "sds"} <= envoy["acked"].keys()
            assert envoy["refused"] == {}
            clusters = (await gateway.admin("GET", "/clusters")).text
            answer = await gateway.post("all", QUESTION)
            assert (answer.status_code, answer.headers["x-plano-agent"]) == (200, names[-1])
            answer = await gateway.post("models", QUESTION | {"model": f"model-{COUNT - 1}"})
            assert (answer.status_code, answer.headers["x-plano-model"]) == (200, models[-1]["model"])
            assert f"agent/{names[-1]}::" in clusters
            assert f"model/{models[-1]['model']}::" in clusters
