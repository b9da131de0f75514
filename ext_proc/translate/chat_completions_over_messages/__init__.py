"""Client speaks Chat Completions, upstream Anthropic Messages."""

from typing import Final

from ext_proc.translate.chat_completions_over_messages.request import request
from ext_proc.translate.chat_completions_over_messages.response import response
from ext_proc.translate.chat_completions_over_messages.stream import ChatCompletionsOverMessagesStream
from ext_proc.translate.pair import Pair
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES

CHAT_COMPLETIONS_OVER_MESSAGES: Final = Pair(
    client_api=CHAT_COMPLETIONS,
    upstream_api=MESSAGES,
    request=request,
    response=response,
    machine=ChatCompletionsOverMessagesStream,
)
