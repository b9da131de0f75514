import orjson
import pytest

from ext_proc.apis.provider_errors import parse_error, read_error
from ext_proc.attempt.failures import Failure, classify, status_of

TOO_LONG = [
    (400, {"error": {"message": "x", "type": "invalid_request_error", "code": "context_length_exceeded"}}),
    (
        400,
        {"error": {"message": "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000."}},
    ),
    (
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "prompt is too long: 208310 tokens > 200000 maximum"},
        },
    ),
    (400, {"error": {"message": "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"}}),
    (400, {"message": "Input is too long for requested model."}),
    (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
                }
            }
        ],
    ),
    (400, {"error": {"message": "This model's maximum prompt length is 131072 but the request contains 200000 tokens."}}),
    (400, {"object": "error", "message": "The decoder prompt (length 9000) is longer than the maximum model length of 8192."}),
    (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size",
                "type": "exceed_context_size_error",
            }
        },
    ),
    (400, {"error": {"message": "Invalid request: Your request exceeded model token limit: 8192"}}),
    (400, {"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000"}),
    (413, {"error": {"message": "Please reduce the length of the messages or completion."}}),
    (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097"}),
]


@pytest.mark.parametrize(("status", "body"), TOO_LONG)
def test_knows_every_providers_words_for_a_context_that_is_too_long(status: int, body: object) -> None:
    assert classify(parse_error(status, orjson.dumps(body))) is Failure.CONTEXT_LENGTH


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "x", "code": "content_policy_violation"}},
        {
            "error": {
                "message": "The response was filtered due to Azure OpenAI's content management policy.",
                "code": "content_filter",
            }
        },
        {"type": "error", "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}},
        {"error": {"message": "Invalid prompt: flagged as potentially violating our usage policy.", "code": "invalid_prompt"}},
    ],
)
def test_a_policys_refusal_is_final_whatever_its_status(body: object) -> None:
    for status in (400, 403, 500):
        assert classify(parse_error(status, orjson.dumps(body))) is Failure.REFUSED


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (400, Failure.REFUSED),
        (401, Failure.REFUSED),
        (429, Failure.RATE_LIMITED),
        (500, Failure.UPSTREAM_ERROR),
        (529, Failure.UPSTREAM_ERROR),
    ],
)
def test_other_errors_go_by_their_status(status: int, failure: Failure) -> None:
    assert classify(parse_error(status, b'{"error":{"message":"no"}}')) is failure


def test_a_rate_limit_on_tokens_is_not_a_context_that_is_too_long() -> None:
    body = b'{"error":{"message":"Request too large: reduce the length of the messages","code":"rate_limit_exceeded"}}'
    assert classify(parse_error(429, body)) is Failure.RATE_LIMITED


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"type": "overloaded_error", "message": "m"}, 529),
        ({"type": "rate_limit_error", "message": "m"}, 429),
        ({"code": "server_error", "message": "m"}, 500),
        ({"code": 503, "message": "m"}, 503),
        ({"message": "prompt is too long"}, 400),
        ({"code": "content_filter", "message": "m"}, 400),
        ({"message": "what?"}, 502),
    ],
)
def test_an_error_within_a_stream_gets_the_status_that_it_means(error: dict[str, object], status: int) -> None:
    assert status_of(read_error({"error": error})) == status
