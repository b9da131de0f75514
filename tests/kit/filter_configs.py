"""A FilterConfig with one of everything, for tests of ext_proc."""

from protos import filter_config_pb2 as pb


def filter_config(version: str = "v1", *, egress_url: str = "http://127.0.0.1:9") -> pb.FilterConfig:
    """Two agents behind `agents`, one with a filter behind `solo`, all kinds of models behind `models` and `guarded`."""
    config = pb.FilterConfig(version=version, egress_url=egress_url, max_request_bytes=64 << 20)
    agents = config.listeners.add(name="agents", kind=pb.Listener.Kind.AGENT)
    agents.agents.add(id="weather", description="Weather forecasts for cities", route="agent/weather", default=True)
    agents.agents.add(id="flights", description="Flights between airports", route="agent/flights")
    solo = config.listeners.add(name="solo", kind=pb.Listener.Kind.AGENT)
    solo.agents.add(id="weather", description="Weather", route="agent/weather", input_filters=["guard"])
    config.listeners.add(name="models", kind=pb.Listener.Kind.MODEL)
    config.listeners.add(name="guarded", kind=pb.Listener.Kind.MODEL, input_filters=["guard"])
    config.filters.add(id="guard", type="http", route="filter/guard", path="/check", timeout_seconds=5)
    _add_models(config)
    config.aliases.add(name="fast", model="openai/gpt-4o-mini")
    return config


def _add_models(config: pb.FilterConfig) -> None:
    named = config.models.add(name="openai/gpt-4o", upstream_model="gpt-4o", provider="openai", default=True)
    small = config.models.add(name="openai/gpt-4o-mini", upstream_model="gpt-4o-mini", provider="openai")
    for model in (named, small):
        model.routes.add(api="chat_completions", route=f"model/{model.name}", path="/v1/chat/completions")
        model.routes.add(api="embeddings", route=f"model/{model.name}", path="/v1/embeddings")
    wildcard = config.models.add(name="together/*", provider="together")
    wildcard.routes.add(api="chat_completions", route="model/together/*", path="/inference/v1/chat/completions")
    azure = config.models.add(name="azure/gpt", upstream_model="my deploy/ment", provider="azure")
    azure.routes.add(api="chat_completions", route="model/azure/gpt", path="/openai/deployments/{model}/chat?api-version=1")
    claude = config.models.add(name="anthropic/claude", upstream_model="claude", provider="anthropic")
    claude.routes.add(api="messages", route="model/anthropic/claude(messages)", path="/v1/messages")
    hidden = config.models.add(name="together/orchestrator", upstream_model="orchestrator", provider="plano", internal=True)
    hidden.routes.add(api="chat_completions", route="model/together/orchestrator", path="/v1/chat/completions")
