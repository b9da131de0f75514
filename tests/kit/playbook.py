"""Sequence diagrams of a session as tests: `await (play(session) >> RequestHeaders(...) << Continue() >> ... << ...)`.

`>>` tells the session an event, `<<` states the reply that must come: a reply to equal, or a function that checks it.
"""

from collections.abc import Callable, Generator
from typing import Any

import orjson

from ext_proc.decide.transaction import Transaction
from ext_proc.events import Event, Reply, Respond

Check = Callable[[Reply], object]


class Playbook:
    """Events and the replies that they must get, run when awaited."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._steps: list[tuple[Event, Reply | Check]] = []
        self._event: Event | None = None

    def __rshift__(self, event: Event) -> "Playbook":
        assert self._event is None, "state the reply to the event before"
        self._event = event
        return self

    def __lshift__(self, expected: Reply | Check) -> "Playbook":
        assert self._event is not None, "tell an event first"
        self._steps.append((self._event, expected))
        self._event = None
        return self

    def __await__(self) -> Generator[Any, None, None]:
        return self._run().__await__()

    async def _run(self) -> None:
        assert self._event is None, "an event without a reply"
        for event, expected in self._steps:
            reply = await self._transaction.handle(event)
            if callable(expected):
                expected(reply)
            else:
                assert reply == expected


def play(transaction: Transaction) -> Playbook:
    """Start a playbook."""
    return Playbook(transaction)


def refused(status: int, message: str, **fields: object) -> Check:
    """Check that a reply is an error of this status, whose message contains `message`, with these fields in `error`."""

    def check(reply: Reply) -> None:
        assert isinstance(reply, Respond), reply
        body = orjson.loads(reply.body)
        assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
        assert reply.headers["content-length"] == str(len(reply.body))
        assert message in body["error"]["message"]
        assert {name: body["error"].get(name) for name in fields} == fields

    return check
