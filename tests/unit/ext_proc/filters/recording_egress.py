"""An Egress for playbooks: answers from a list, remembers what it was asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from ext_proc.ports import EgressResponse


@dataclass(frozen=True)
class Post:
    route: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    timeout_seconds: float

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class RecordingEgress:
    replies: list[EgressResponse]
    posts: list[Post] = field(default_factory=list)

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        self.posts.append(Post(route, path, headers, body, timeout_seconds))
        return self.replies.pop(0)


def reply(value: Any = None, status: int = 200, **headers: str) -> EgressResponse:
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return EgressResponse(status, {"content-type": "application/json"} | headers, body)


def local_reply(status: int, flags: str) -> EgressResponse:
    return EgressResponse(status, {}, b"upstream connect error", flags)
