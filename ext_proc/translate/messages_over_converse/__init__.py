"""Client speaks Anthropic Messages, upstream Amazon Bedrock's Converse."""

from typing import Final

from ext_proc.translate.messages_over_converse.request import request
from ext_proc.translate.messages_over_converse.response import response
from ext_proc.translate.messages_over_converse.stream import MessagesOverConverseStream
from ext_proc.translate.pair import Pair
from ext_proc.translate.translation import CONVERSE, MESSAGES

MESSAGES_OVER_CONVERSE: Final = Pair(
    client_api=MESSAGES,
    upstream_api=CONVERSE,
    request=request,
    response=response,
    machine=MessagesOverConverseStream,
)
