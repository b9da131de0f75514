import pytest

from ext_proc.codec.key_redaction import redact_keys

KEYS = [
    b"sk-proj-abcDEF123456_789",
    b"sk-ant-api03-abc_DEF-1234",
    b"xai-0123456789abcdef",
    b"gsk_0123456789abcdef",
    b"AIzaSyA0123456789abcdefghijk",
    b"AKIAIOSFODNN7EXAMPLE",
    b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "said", [b"Incorrect API key provided: %b.", b'{"headers":["authorization: Bearer %b"]}', b"(%b)", b'{\\"key\\": \\"%b\\"}']
)
def test_keys_of_providers_are_taken_out(said: bytes, key: bytes) -> None:
    assert key not in redact_keys(said % key)
    assert b"[redacted]" in redact_keys(said % key)


@pytest.mark.parametrize(
    "said",
    [
        b"Authorization: Bearer %b",
        b'"authorization": "Bearer %b"',
        b"x-api-key: %b",
        b"invalid api key: %b",
        b"The API key provided: %b is wrong",
        b'{"error":"api_key=%b"}',
        b'{\\"x-api-key\\":\\"%b\\"}',
    ],
)
def test_other_keys_are_known_by_what_stands_before_them(said: bytes) -> None:
    assert b"0123456789abcdef" not in redact_keys(said % b"0123456789abcdef")


@pytest.mark.parametrize(
    "said",
    [
        b'{"error":{"message":"You exceeded your current quota, see https://platform.openai.com/docs/guides/error-codes."}}',
        b"This model's maximum context length is 128000 tokens. However, your messages resulted in 130012 tokens.",
        b"Incorrect API key provided: sk-ab***********wxyz. You can find it at https://platform.openai.com/account/api-keys.",
        b'{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"},"id":"req_011CSHoEeqs5C3"}',
        b"Bearer token is missing",
        b"task-scheduling-failed, risk-assessment-pending",
        b"The basic authentication scheme is not supported",
    ],
)
def test_other_words_stay(said: bytes) -> None:
    assert redact_keys(said) == said
