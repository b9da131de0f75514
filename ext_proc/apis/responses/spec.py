"""The ApiSpec of Responses."""

from typing import Final

from ext_proc.apis.api import Api, ApiSpec
from ext_proc.apis.empty_answers import says_nothing
from ext_proc.apis.errors import ProviderError, openai_error
from ext_proc.apis.responses.usage import from_responses
from ext_proc.codec.json_body import JsonObject


def _has_content(event: JsonObject) -> bool:
    kind = event.get("type")
    if not isinstance(kind, str):
        return False
    response = event.get("response")
    if kind == "response.completed" and isinstance(response, dict):
        return _has_answer(response)
    return kind.endswith((".delta", ".done", ".compacting")) or kind == "response.incomplete"


def _has_answer(body: JsonObject) -> bool:
    is_whole = body.get("status") in (None, "completed")
    return bool(body.get("output")) or not is_whole or says_nothing(body.get("usage"), "output_tokens")


def _failure(error: ProviderError, number: int) -> tuple[JsonObject, ...]:
    code = openai_error(error)["code"]
    return ({"type": "error", "code": code, "message": error.message, "param": error.param, "sequence_number": number},)


RESPONSES: Final = ApiSpec(
    api=Api.RESPONSES,
    path="/v1/responses",
    serves_agents=True,
    conversation="input",
    instructions="instructions",
    read_usage=from_responses,
    has_content=_has_content,
    has_answer=_has_answer,
    failure=_failure,
)
