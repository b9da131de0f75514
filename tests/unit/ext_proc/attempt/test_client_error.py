"""Errors that travel with a request from attempt to attempt."""

import orjson
import pytest

from ext_proc.attempt.client_error import MAX_KEPT_BYTES, ClientError, most_useful


def error(status: int, wait: str = "", *, is_ours: bool = False) -> ClientError:
    return ClientError(status=status, body="{}", retry_after=wait, is_ours=is_ours)


@pytest.mark.parametrize("api", ["chat_completions", "messages"])
def test_a_long_body_is_shortened_to_its_message(api: str) -> None:
    body = {"type": "error", "error": {"message": "x" * 100, "type": "server_error", "more": "y" * 100_000}}
    short = ClientError(status=503, body=orjson.dumps(body).decode(), retry_after="3", model="m").shortened(api)
    assert len(short.body) < MAX_KEPT_BYTES
    assert orjson.loads(short.body)["error"]["message"] == "x" * 100
    assert (short.status, short.retry_after, short.model) == (503, "3", "m")


def test_a_short_body_stays_as_it_is() -> None:
    assert error(503).shortened("messages") == error(503)


@pytest.mark.parametrize(
    ("useful", "other"),
    [
        (error(429, "3"), error(429, "7")),
        (error(429, "7"), error(429)),
        (error(429, "7"), error(429, "Wed, 21 Oct 2026 07:28:00 GMT")),
        (error(429), error(503, "1")),
        (error(529), error(504, is_ours=True)),
        (error(503, "1"), error(500)),
        (error(503, is_ours=True), error(400)),
    ],
)
def test_what_tells_the_client_most_comes_first(useful: ClientError, other: ClientError) -> None:
    assert most_useful(useful, other) == most_useful(other, useful) == useful


def test_of_equals_the_first_one_is_told() -> None:
    first, second = error(500), error(502)
    assert most_useful(first, second) is first
