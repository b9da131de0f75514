"""The prompt that Plano-Orchestrator was trained to read: routes, conversation, and the form of the answer.

Structure, order, tag names and spacing of the JSON are what the model was trained on; the prose is ours. The conversation
is shortened to the model's budget from its old end; a token is estimated as 4 bytes.
"""

import json
from collections.abc import Iterable
from typing import Final

from ext_proc.apis.conversation import Conversation, Turn

MAX_TURNS: Final = 16
_BYTES_PER_TOKEN: Final = 4
_CUT: Final = "…"
_HEAD_SHARE: Final = 0.6

_PROMPT: Final = """\
You are an assistant that picks the most suitable routes for what the user wants. Each route is given as one JSON object:

<routes>
{routes}
</routes>

This is the conversation so far:

<conversation>
{conversation}
</conversation>

Instructions:
1. Work out the latest intent of the user from the conversation.
2. Compare that intent with the description of each route and find the routes that serve it.
3. Answer with the exact names of those routes, in the order in which they should run, and nothing else.
4. If no route serves the intent, or if the intent has been fulfilled already, answer with an empty list.

Answer in this JSON form and nothing else:
{{"route": ["route_name_1", "route_name_2"]}}
If no route fits: {{"route": []}}
"""


def render_routes(routes: Iterable[tuple[str, str]]) -> str:
    """Render names and descriptions, one JSON object per line. Do it once per configuration."""
    # The default separators of `json` are those of the training data.
    parameters = {"type": "object", "properties": {}, "required": []}
    return "\n".join(
        json.dumps({"name": name, "description": description, "parameters": parameters}, ensure_ascii=False)
        for name, description in routes
    )


def build_prompt(routes: str, conversation: Conversation, *, context_length: int) -> str:
    """Build the prompt from rendered routes and as much of the conversation as fits into `context_length` tokens."""
    budget = context_length - _tokens(_PROMPT)
    turns = [{"role": turn.role, "content": turn.text} for turn in select_turns(conversation, budget)]
    return _PROMPT.format(routes=routes, conversation=json.dumps(turns, ensure_ascii=False, indent=4))


def select_turns(conversation: Conversation, budget: int) -> list[Turn]:
    """Keep the newest turns that fit into `budget` tokens; shorten a user's turn that does not fit in its middle."""
    selected: list[Turn] = []
    for turn in reversed(conversation[-MAX_TURNS:]):
        cost = _tokens(turn.text)
        if cost > budget:
            if turn.role == "user" and budget > 0:
                selected.append(Turn(turn.role, trim_middle(turn.text, budget * _BYTES_PER_TOKEN)))
            break
        selected.append(turn)
        budget -= cost
    # A question that is too long is better than none.
    return selected[::-1] or list(conversation[-1:])


def trim_middle(text: str, max_bytes: int) -> str:
    """Remove the middle of `text`, on character boundaries, so that it has at most `max_bytes` in UTF-8."""
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    room = max_bytes - len(_CUT.encode())
    if room <= 0:
        return encoded[:max_bytes].decode(errors="ignore")
    head = int(room * _HEAD_SHARE)
    tail = room - head
    return encoded[:head].decode(errors="ignore") + _CUT + encoded[len(encoded) - tail :].decode(errors="ignore")


def _tokens(text: str) -> int:
    # Counting characters twice is cheaper than encoding: most texts are ASCII.
    return (len(text) if text.isascii() else len(text.encode())) // _BYTES_PER_TOKEN
