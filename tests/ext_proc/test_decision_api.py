"""The decision API: what clients are told when a preference fits, when none does, and when there are none."""

from typing import Any

import orjson
import pytest

from ext_proc.events import Respond
from protos import filter_config_pb2 as pb
from tests.ext_proc.test_decision_preferences import AZURE, CODE, GPT, INLINE, MINI, POEM, StreamRequest, config
from tests.kit.filter_configs import filter_config
from tests.kit.playbook import play, refused
from tests.kit.transactions import TRACEPARENT, head, new_transaction

PATH = "/routing/v1/chat/completions"


async def told(body: dict[str, Any], made: pb.FilterConfig | None = None) -> dict[str, Any]:
    reply = await StreamRequest(body, PATH).under(made or config())
    assert isinstance(reply, Respond)
    assert reply.status == 200, reply.body
    answer: dict[str, Any] = orjson.loads(reply.body)
    return answer


async def test_a_route_that_fits_comes_with_its_models() -> None:
    assert await told({"model": GPT, "messages": CODE}) == {
        "models": [AZURE, MINI, GPT],
        "route": "code generation",
        "trace_id": TRACEPARENT.split("-")[1],
        "pinned": False,
        "switched": False,
    }


@pytest.mark.parametrize(
    ("model", "models"), [(None, [GPT]), ("fast", [MINI]), ("their/own", ["their/own"]), ("together/any", ["together/any"])]
)
async def test_without_a_route_the_clients_own_model_is_named(model: str | None, models: list[str]) -> None:
    answer = await told({"messages": POEM} | ({"model": model} if model else {}))
    assert (answer["models"], answer["route"]) == (models, None)


async def test_without_preferences_nothing_is_matched() -> None:
    answer = await told({"model": MINI, "messages": CODE}, filter_config())
    assert (answer["models"], answer["route"]) == ([MINI], None)


async def test_preferences_of_the_request_are_decided_on() -> None:
    answer = await told({"model": "their/own", "messages": POEM, "routing_preferences": INLINE}, filter_config())
    assert (answer["models"], answer["route"]) == (["together/any/poet", GPT], "poems")


async def test_nobody_is_left_to_name() -> None:
    reply = await StreamRequest({"messages": POEM}, PATH).under(config(default=False))
    assert isinstance(reply, Respond)
    assert (reply.status, orjson.loads(reply.body)["error"]["param"]) == (400, "model")


async def test_errors_have_the_clients_shape() -> None:
    reply = await StreamRequest({"messages": "no"}, "/routing/v1/messages").under(config())
    assert isinstance(reply, Respond)
    assert (reply.status, orjson.loads(reply.body)["type"]) == (400, "error")


@pytest.mark.parametrize(("listener", "path"), [("models", "/routing/v1/embeddings"), ("agents", PATH)])
async def test_nothing_else_has_a_decision(listener: str, path: str) -> None:
    await (play(new_transaction(listener)) >> head(path) << refused(404, "Nothing is served at this path"))
