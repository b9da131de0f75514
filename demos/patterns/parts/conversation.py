"""Reads chat messages, as agents and filters of the patterns see them."""

from typing import Any

Messages = list[dict[str, Any]]


def last_said(messages: Messages, role: str) -> str:
    """Return the last text of a role, "" if there is none."""
    return next((str(message["content"]) for message in reversed(messages) if message["role"] == role), "")


def words(text: str) -> set[str]:
    """Return a text's words of four letters or more, in lower case and without a plural's s."""
    split = "".join(letter if letter.isalnum() else " " for letter in text.lower()).split()
    return {word.removesuffix("s") for word in split if len(word) > 3}
