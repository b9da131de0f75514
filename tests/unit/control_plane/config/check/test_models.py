"""What the checks say about the embedding model beside what the goldens of problems show."""

from control_plane.config import load

CONFIG = """
version: v0.4.0
agents:
  - {{id: weather, url: "http://127.0.0.1:1"}}
  - {{id: flights, url: "http://127.0.0.1:2"}}
model_providers: [{{model: openai/embed, access_key: $KEY}}]
overrides: {overrides}
listeners:
  - {{type: agent, name: travel, port: 8001, agents: [{{id: weather, description: Weather}}{more}]}}
"""
FLIGHTS = ", {id: flights, description: Flights}"


def warnings(overrides: str, more: str = FLIGHTS) -> list[str]:
    return [
        f"{problem.code}: {problem.message}"
        for problem in load(CONFIG.format(overrides=overrides, more=more), env={"KEY": "k"}).warnings
        if problem.code != "unused-agent"
    ]


def test_there_is_nothing_to_say_of_several_agents() -> None:
    assert (
        warnings("{}") == warnings("{agent_embedding_model: openai/embed}") == warnings("{agent_embedding_model: none}") == []
    )


def test_one_agent_leaves_nothing_to_decide() -> None:
    (warning,) = warnings("{agent_embedding_model: openai/embed}", more="")
    assert warning.startswith("no-effect: ")
