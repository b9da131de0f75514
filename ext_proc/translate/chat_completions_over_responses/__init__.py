"""Client speaks Chat Completions, upstream OpenAI Responses."""

from typing import Final

from ext_proc.translate.chat_completions_over_responses.request import request
from ext_proc.translate.chat_completions_over_responses.response import response
from ext_proc.translate.chat_completions_over_responses.stream import ChatCompletionsOverResponsesStream
from ext_proc.translate.pair import Pair
from ext_proc.translate.translation import CHAT_COMPLETIONS, RESPONSES

CHAT_COMPLETIONS_OVER_RESPONSES: Final = Pair(
    client_api=CHAT_COMPLETIONS,
    upstream_api=RESPONSES,
    request=request,
    response=response,
    machine=ChatCompletionsOverResponsesStream,
)
