"""What decide leaves for attempts: the client's body as it is, filters' changes excepted, and what each of them must know."""

import pytest

from ext_proc.events import Continue, RequestBody
from protos.contract.headers import ROUTE_HEADER
from protos.contract.metadata import (
    METADATA_API,
    METADATA_DECISION,
    METADATA_ENTRY,
    METADATA_HAS_MODEL,
    METADATA_MODEL,
    METADATA_ROUTE,
    METADATA_STREAM,
    METADATA_UPSTREAM_MODEL,
    METADATA_WATCH,
)
from tests.kit.attempts import CLAUDE, GPT, TOGETHER, chain_config
from tests.kit.playbook import play
from tests.kit.transactions import StubEgress, head, new_transaction


def decided(route: str, model: str, upstream_model: str, **more: str) -> dict[str, str]:
    return {
        METADATA_ROUTE: route,
        METADATA_MODEL: model,
        METADATA_ENTRY: TOGETHER if model.startswith("together/") else model,
        METADATA_DECISION: "exact",
        METADATA_API: "chat_completions",
        METADATA_UPSTREAM_MODEL: upstream_model,
        METADATA_HAS_MODEL: "true",
    } | more


@pytest.mark.parametrize(
    ("asked", "entry", "upstream_model", "more"),
    [
        (GPT, GPT, "gpt-4o", {}),
        ("gpt-4o", GPT, "gpt-4o", {"decision": "bare_id"}),
        (CLAUDE, CLAUDE, "claude-sonnet-4-0", {}),
        ("together/meta/llama", TOGETHER, "meta/llama", {"decision": "wildcard"}),
    ],
)
async def test_decide_leaves_the_body_alone(asked: str, entry: str, upstream_model: str, more: dict[str, str]) -> None:
    route = f"chain/{entry}(chat_completions)"
    name = asked if entry == TOGETHER else entry
    await (
        play(new_transaction("models", config=chain_config()))
        >> head()
        << Continue()
        >> RequestBody(f'{{ "model":"{asked}","messages":[]}}'.encode())
        << Continue(
            set_headers={ROUTE_HEADER: route},
            clear_route_cache=True,
            metadata=decided(route, name, upstream_model, **more),
        )
    )


async def test_the_query_goes_along_for_attempts_at_the_same_api() -> None:
    route = f"chain/{GPT}(chat_completions)"
    await (
        play(new_transaction("models", config=chain_config()))
        >> head("/v1/chat/completions?beta=true")
        << Continue()
        >> RequestBody(f'{{"model":"{GPT}"}}'.encode())
        << Continue(
            set_headers={ROUTE_HEADER: route},
            clear_route_cache=True,
            metadata=decided(route, GPT, "gpt-4o", query="?beta=true"),
        )
    )


async def test_attempts_start_from_what_filters_made_of_the_body() -> None:
    config = chain_config()
    config.filters.add(id="guard", type="http", route="filter/guard", path="/check", timeout_seconds=5)
    config.listeners[0].input_filters.append("guard")
    route = f"chain/{GPT}(chat_completions)"
    changed = b'{"messages":["cleaned"]}'
    await (
        play(new_transaction("models", egress=StubEgress(answer=changed), config=config))
        >> head()
        << Continue()
        >> RequestBody(f'{{"model":"{GPT}","messages":[]}}'.encode())
        << Continue(
            set_headers={ROUTE_HEADER: route, "content-length": str(len(changed))},
            body=changed,
            clear_route_cache=True,
            metadata=decided(route, GPT, "gpt-4o", has_model="false"),
        )
    )


@pytest.mark.parametrize(("stream", "suffix"), [("true", "/stream"), ("false", ""), ("1", "")])
async def test_requests_for_a_stream_have_a_route_of_their_own(stream: str, suffix: str) -> None:
    config = chain_config()
    route = config.models[0].routes[1]
    route.stream_route = f"{route.route}/stream"
    await (
        play(new_transaction("models", config=config))
        >> head()
        << Continue()
        >> RequestBody(f'{{"model":"{GPT}","stream":{stream}}}'.encode())
        << Continue(
            set_headers={ROUTE_HEADER: route.route + suffix},
            clear_route_cache=True,
            metadata=decided(route.route + suffix, GPT, "gpt-4o")
            | ({METADATA_WATCH: "gate", METADATA_STREAM: "true"} if suffix else {}),
        )
    )
