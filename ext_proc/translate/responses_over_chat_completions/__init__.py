"""Client speaks OpenAI Responses, upstream Chat Completions."""

from typing import Final

from ext_proc.translate.pair import Pair
from ext_proc.translate.responses_over_chat_completions.request import request
from ext_proc.translate.responses_over_chat_completions.response import response
from ext_proc.translate.responses_over_chat_completions.stream import ResponsesOverChatCompletionsStream
from ext_proc.translate.translation import CHAT_COMPLETIONS, RESPONSES

RESPONSES_OVER_CHAT_COMPLETIONS: Final = Pair(
    client_api=RESPONSES,
    upstream_api=CHAT_COMPLETIONS,
    request=request,
    response=response,
    machine=ResponsesOverChatCompletionsStream,
    client_fields={
        "messages": "input",
        "response_format": "text.format",
        "reasoning_effort": "reasoning.effort",
        "max_completion_tokens": "max_output_tokens",
        "logprobs": "include",
    },
)
