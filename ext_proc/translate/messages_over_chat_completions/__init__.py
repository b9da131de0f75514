"""Client speaks Anthropic Messages, upstream Chat Completions."""

from typing import Final

from ext_proc.translate.messages_over_chat_completions.request import request
from ext_proc.translate.messages_over_chat_completions.response import response
from ext_proc.translate.messages_over_chat_completions.stream import MessagesOverChatCompletionsStream
from ext_proc.translate.pair import Pair
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES

MESSAGES_OVER_CHAT_COMPLETIONS: Final = Pair(
    client_api=MESSAGES,
    upstream_api=CHAT_COMPLETIONS,
    request=request,
    response=response,
    machine=MessagesOverChatCompletionsStream,
    client_fields={
        "stop": "stop_sequences",
        "response_format": "output_config.format",
        "reasoning_effort": "output_config.effort",
        "max_completion_tokens": "max_tokens",
    },
)
