"""What a chain makes of failures: whose fault they are, who is asked next, and which of several errors the client is told."""

from typing import Any

import orjson
import pytest

from ext_proc.attempt.client_error import ClientError
from ext_proc.attempt.history import AttemptHistory
from ext_proc.events import Respond
from protos.contract.headers import (
    BOUNDS_HEADER,
    MODEL_HEADER,
    OWN_FAULT_HEADER,
    RETRY_AFTER_HEADER,
    RETRY_HEADER,
    VETO_HEADER,
)
from tests.kit.attempts import CLAUDE, GPT, REQUESTS, TOGETHER, AttemptPlay, Seen, chain_config

CHAIN = f"chain/{GPT}(chat_completions)"
BUSY = ClientError(status=429, body='{"error":{"message":"slow down"}}', retry_after="7", model=GPT)
DOWN = ClientError(status=503, body='{"error":{"message":"down"}}', model=GPT)
MESSAGE = {"message": "no"}


def first(status: int, error: Any, *, model: str = GPT, wait: str = "", bounds: str = "-;5;30;2", **more: Any) -> AttemptPlay:
    """Play the first attempt of a chain of two models."""
    attempt = AttemptPlay(model, headers={BOUNDS_HEADER: bounds}, **more)
    attempt.request(REQUESTS["chat_completions"])
    attempt.answer(status, {"error": error}, {"retry-after": wait} if wait else {})
    return attempt


def second(status: int, error: Any, before: ClientError | None, *, wait: str = "", retries: int = 5) -> Seen:
    """Play the attempt at the fallback, after the first model has failed."""
    failure = "rate_limited" if before is BUSY else "upstream_error"
    history = AttemptHistory(attempted=(GPT,), failure=failure, error=before)
    attempt = AttemptPlay(CLAUDE, chain=CHAIN, history=history, headers={BOUNDS_HEADER: f"-;{retries};30;2"})
    attempt.request(REQUESTS["chat_completions"])
    return attempt.answer(status, {"type": "error", "error": error}, {"retry-after": wait} if wait else {})


@pytest.mark.parametrize(
    ("status", "error", "fault"),
    [
        (401, {"message": "Incorrect API key provided: x.", "code": "invalid_api_key"}, "key"),
        (401, "Unauthorized", "key"),
        (400, {"message": "API key not valid. Please pass a valid API key."}, "key"),
        (403, {"message": "Your region is not supported.", "type": "permission_error"}, "key"),
        (402, {"message": "Insufficient credits", "code": 402}, "account"),
        (403, {"message": "Your account has been deactivated.", "code": "account_deactivated"}, "account"),
        (400, {"message": "Your credit balance is too low to access the Anthropic API."}, "account"),
        (404, {"message": "The model `x` does not exist or you do not have access to it.", "code": "model_not_found"}, "model"),
        (404, {"message": "Not Found"}, "model"),
        (400, {"message": "x/y is not a valid model ID"}, "model"),
        (400, {"message": "The provided model identifier is invalid."}, "model"),
    ],
)
def test_what_the_gateway_has_wrong_is_for_the_next_model_and_for_the_operator(status: int, error: Any, fault: str) -> None:
    attempt = first(status, error)
    seen = attempt.seen
    assert (seen.status, seen.headers.get(OWN_FAULT_HEADER), seen.retry) == (status, "own_fault", "")
    assert (attempt.session.record.outcome, attempt.session.record.own_fault) == ("own_fault", fault)
    assert seen.history.excluded == {GPT}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"message": "messages must alternate", "type": "invalid_request_error"}),
        (400, {"message": "Unsupported parameter: 'temperature'", "code": "unsupported_parameter"}),
        (403, {"message": "Your chosen model requires moderation and your input was flagged."}),
        (404, {"message": "Item with id 'rs_1' not found.", "param": "input"}),
        (404, {"message": "No such File object: file-1", "param": "file_id"}),
        (404, {"message": "Previous response with id 'resp_1' not found.", "param": "previous_response_id"}),
        (413, {"message": "too large"}),
        (422, {"message": "extra fields"}),
    ],
)
def test_what_the_client_has_wrong_is_final(status: int, error: Any) -> None:
    attempt = first(status, error)
    seen = attempt.seen
    assert (seen.status, attempt.session.record.outcome, attempt.session.record.own_fault) == (status, "refused", "")
    assert not seen.headers.keys() & {OWN_FAULT_HEADER, RETRY_HEADER}


def test_a_clients_own_key_is_the_clients_fault() -> None:
    config = chain_config()
    config.models[0].targets[0].client_key_header = "authorization"
    seen = first(401, MESSAGE, config=config).seen
    assert (seen.status, OWN_FAULT_HEADER in seen.headers) == (401, False)


def test_a_model_that_only_the_client_has_named_is_the_clients_fault() -> None:
    metadata = {"upstream_model": "meta/llama"}
    assert OWN_FAULT_HEADER not in first(404, MESSAGE, model=TOGETHER, metadata=metadata).seen.headers
    assert OWN_FAULT_HEADER in first(401, MESSAGE, model=TOGETHER, metadata=metadata).seen.headers


def test_where_nobody_else_can_be_asked_a_refused_key_is_told() -> None:
    seen = second(401, MESSAGE, None)
    assert seen.headers[OWN_FAULT_HEADER]  # The first model may be well again.
    history = AttemptHistory(attempted=(GPT,), failure="own_fault", cannot_carry=(GPT,))
    attempt = AttemptPlay(CLAUDE, chain=CHAIN, history=history)
    attempt.request(REQUESTS["chat_completions"])
    assert OWN_FAULT_HEADER not in attempt.answer(401, {"error": MESSAGE}).headers


@pytest.mark.parametrize(
    ("before", "status", "wait", "expected"),
    [
        (BUSY, 401, "", (429, "7", GPT)),
        (BUSY, 400, "", (429, "7", GPT)),
        (BUSY, 503, "", (429, "7", GPT)),
        (BUSY, 429, "", (429, "7", GPT)),
        (BUSY, 429, "3", (429, "3", CLAUDE)),
        (BUSY, 429, "9", (429, "7", GPT)),
        (DOWN, 401, "", (503, None, GPT)),
        (DOWN, 400, "", (503, None, GPT)),
        (DOWN, 529, "", (503, None, GPT)),
        (DOWN, 529, "2", (529, "2", CLAUDE)),
        (DOWN, 429, "", (429, None, CLAUDE)),
        (None, 503, "", (503, None, CLAUDE)),
    ],
)
def test_the_client_is_told_the_most_useful_error(
    before: ClientError | None, status: int, wait: str, expected: tuple[int, str | None, str]
) -> None:
    seen = second(status, {"message": "of the fallback"}, before, wait=wait)
    model = expected[2]
    told = seen.headers.get("retry-after", wait or None if model == CLAUDE else None)
    assert (seen.status, told, seen.model) == expected
    said = seen.json["error"]["message"]
    assert (said == "of the fallback") is (model == CLAUDE)
    assert seen.history.error is not None
    assert (seen.history.error.status, seen.history.error.model) == (seen.status, model)
    if model == GPT:
        assert ("retry-after" in seen.headers) or ("retry-after" in seen.removed)


def test_what_a_fallback_refuses_goes_back_to_the_model_that_was_asked_for() -> None:
    seen = second(400, {"message": "I take no tools.", "type": "invalid_request_error"}, DOWN)
    assert (seen.status, seen.retry, set(seen.history.excluded)) == (503, "not_taken", {CLAUDE})


def test_a_policys_refusal_is_final_whatever_the_client_is_told() -> None:
    seen = second(400, {"message": "against our usage policy", "type": "invalid_request_error"}, BUSY)
    assert (seen.status, seen.headers[VETO_HEADER], seen.retry) == (429, "true", "")


@pytest.mark.parametrize(
    ("status", "wait", "bounds", "waits"),
    [
        (429, "2", "-;5;30;2", True),
        (429, "0", "-;5;30;2", True),
        (503, "2", "-;5;30;2", True),
        (429, "3", "-;5;30;2", False),
        (429, "3", "-;5;30;5", True),
        (429, "2", "-;5;30;0", False),
        (429, "2", "-;1;30;2", False),
        (429, "soon", "-;5;30;9", False),
        (429, "Wed, 21 Oct 2026 07:28:00 GMT", "-;5;30;9", False),
        (429, "9" * 5000, "-;5;30;9", False),
    ],
)
def test_a_short_wait_is_waited_for(status: int, wait: str, bounds: str, waits: bool) -> None:
    seen = first(status, MESSAGE, wait=wait, bounds=bounds).seen
    assert (seen.headers.get(RETRY_AFTER_HEADER), seen.history.is_transient) == (wait if waits else None, waits)


def test_a_model_is_waited_for_once() -> None:
    history = AttemptHistory(attempted=(GPT,), failure="rate_limited", is_transient=True, error=BUSY)
    attempt = AttemptPlay(GPT, history=history, headers={BOUNDS_HEADER: "-;5;30;2"})
    attempt.request(REQUESTS["chat_completions"])
    seen = attempt.answer(429, {"error": MESSAGE}, {"retry-after": "1"})
    assert (RETRY_AFTER_HEADER in seen.headers, seen.history.is_transient) == (False, False)


@pytest.mark.parametrize("before", [BUSY, None])
def test_a_fallback_that_cannot_carry_it_does_not_hide_what_was_said_before(
    before: ClientError | None,
) -> None:
    history = AttemptHistory(attempted=(GPT,), failure="rate_limited", error=before)
    attempt = AttemptPlay(CLAUDE, chain=CHAIN, history=history, headers={BOUNDS_HEADER: "-;1;30;2"})
    reply = attempt.request({**REQUESTS["chat_completions"], "n": 2})
    assert isinstance(reply, Respond)
    if before is None:
        assert (reply.status, orjson.loads(reply.body)["error"]["code"]) == (503, "no_model_left")
    else:
        assert (reply.status, reply.headers["retry-after"], reply.headers[MODEL_HEADER]) == (429, "7", GPT)
        assert reply.body.decode() == before.body


def test_what_was_too_long_for_one_model_does_not_hide_that_the_others_are_silent() -> None:
    too_long = ClientError(status=400, body='{"error":{"message":"too long"}}', model=GPT)
    history = AttemptHistory(
        attempted=(GPT, CLAUDE), failure="unanswered", too_long_for=(GPT,), timed_out=(CLAUDE,), error=too_long
    )
    reply = AttemptPlay(GPT, history=history).request(REQUESTS["chat_completions"])
    assert isinstance(reply, Respond)
    assert (reply.status, reply.headers["retry-after"], reply.headers[VETO_HEADER]) == (503, "1", "true")
    assert orjson.loads(reply.body)["error"]["code"] == "no_model_left"


def test_when_nobody_is_left_the_client_is_told_what_was_said() -> None:
    history = AttemptHistory(attempted=(GPT, CLAUDE), failure="unanswered", timed_out=(GPT, CLAUDE), error=BUSY)
    attempt = AttemptPlay(GPT, history=history)
    reply = attempt.request(REQUESTS["chat_completions"])
    assert isinstance(reply, Respond)
    assert (reply.status, reply.headers["retry-after"], reply.headers[VETO_HEADER]) == (429, "7", "true")
