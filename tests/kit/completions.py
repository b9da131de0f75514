"""A whole chat completion, for upstreams of tests that look at what they are asked, not at what they say."""

import json

from tests.kit.stub_upstream import Answer

COMPLETED = Answer(
    body=json.dumps(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
        }
    ).encode()
)
