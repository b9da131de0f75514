import orjson
import pytest

from ext_proc.apis.errors import render_error
from ext_proc.errors import FilterRejected, GatewayError, InternalError, MethodNotAllowed, UnknownModel


@pytest.mark.parametrize(
    ("status", "openai", "anthropic"),
    [
        (400, "invalid_request_error", "invalid_request_error"),
        (401, "authentication_error", "authentication_error"),
        (403, "permission_error", "permission_error"),
        (404, "invalid_request_error", "not_found_error"),
        (405, "invalid_request_error", "invalid_request_error"),
        (413, "invalid_request_error", "request_too_large"),
        (422, "invalid_request_error", "invalid_request_error"),
        (429, "rate_limit_error", "rate_limit_error"),
        (500, "server_error", "api_error"),
        (502, "server_error", "api_error"),
        (503, "server_error", "overloaded_error"),
        (504, "server_error", "timeout_error"),
    ],
)
def test_words_each_status_for_its_client(status: int, openai: str, anthropic: str) -> None:
    error = GatewayError('say "no"', status=status)
    as_openai = render_error(error, "openai")
    assert orjson.loads(as_openai.body) == {"error": {"message": 'say "no"', "type": openai, "param": None, "code": None}}
    as_anthropic = render_error(error, "anthropic")
    assert orjson.loads(as_anthropic.body) == {"type": "error", "error": {"type": anthropic, "message": 'say "no"'}}
    for reply in (as_openai, as_anthropic):
        assert reply.status == status
        assert reply.headers == {"content-type": "application/json", "content-length": str(len(reply.body))}


def test_code_param_and_headers() -> None:
    reply = render_error(UnknownModel("no", param="model"), "openai")
    assert orjson.loads(reply.body)["error"]["code"] == "model_not_found"
    assert orjson.loads(reply.body)["error"]["param"] == "model"
    assert reply.details == "plano_model_not_found"
    assert render_error(MethodNotAllowed("no", headers={"allow": "GET"}), "openai").headers["allow"] == "GET"


@pytest.mark.parametrize("shape", ["openai", "anthropic"])
def test_extra_fields_stand_beside_the_error(shape: str) -> None:
    error = FilterRejected("no", extra={"agent": "guard", "status": 403, "error": "never wins"})
    body = orjson.loads(render_error(error, shape).body)  # type: ignore[arg-type]
    assert (body["agent"], body["error"]["message"]) == ("guard", "no")


def test_details_and_impossible_statuses_stay_inside() -> None:
    reply = render_error(InternalError("sorry", detail="the secret", status=200), "openai")
    assert reply.status == 500
    assert b"secret" not in reply.body
