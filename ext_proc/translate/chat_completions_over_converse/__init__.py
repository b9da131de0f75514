"""Client speaks Chat Completions, upstream Amazon Bedrock's Converse."""

from typing import Final

from ext_proc.translate.chat_completions_over_converse.request import request
from ext_proc.translate.chat_completions_over_converse.response import response
from ext_proc.translate.chat_completions_over_converse.stream import ChatCompletionsOverConverseStream
from ext_proc.translate.pair import Pair
from ext_proc.translate.translation import CHAT_COMPLETIONS, CONVERSE

CHAT_COMPLETIONS_OVER_CONVERSE: Final = Pair(
    client_api=CHAT_COMPLETIONS,
    upstream_api=CONVERSE,
    request=request,
    response=response,
    machine=ChatCompletionsOverConverseStream,
)
