"""The truth: what the answer to a request must be, word by word. Clients and upstreams know it, the gateway does not.

The words depend on the request, so an answer to another one is wrong; each says its position, so a repeated or missing one is.
"""

import hashlib
import re

_NUMBER = re.compile(r"question (\d+)\b")


def question(number: int, topic: str) -> str:
    """Write the request with a number; the topic lets the gateway choose the agent."""
    return f"{topic} This is question {number}."


def number_in(text: str) -> int:
    """Find the number of a request in its text."""
    found = _NUMBER.search(text)
    assert found is not None, text
    return int(found[1])


def words_of(number: int) -> list[str]:
    """Return the words of the answer."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    count = 4 + int(digest[0], 16)
    return [f"{position}-{digest[position * 3 : position * 3 + 5]} " for position in range(count)]


def rest_of(number: int, given: str) -> list[str]:
    """Return the words that are left to who was given the beginning of the answer; all of them if that is not the truth."""
    truth = answer_to(number)
    if not given or not truth.startswith(given):
        return words_of(number)
    return [word for word in re.split(r"(?<= )", truth[len(given) :]) if word]


def answer_to(number: int) -> str:
    """Return the whole text of the answer."""
    return "".join(words_of(number))
