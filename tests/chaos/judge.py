"""Compares an answer with the truth."""

import json
from enum import StrEnum

from tests.chaos.client import HANG_SECONDS, MESSAGES, Request, Seen, Told, read_stream, read_whole
from tests.chaos.truth import answer_to

ERROR_STATUSES = {429, 500, 502, 503, 504}
"""What an upstream's fault may become; any other status blames the client."""


class Outcome(StrEnum):
    """How a request ended, as the table names it."""

    WHOLE = "whole"
    FAILED_OVER = "failed over"
    """Whole, by another attempt than the first."""
    CLEAR_ERROR = "clear error"
    CUT = "cut"
    """The right words, some of them missing, and the client can see it."""
    WRONG = "WRONG"
    HANG = "HANG"


def judge(request: Request, seen: Seen) -> tuple[Outcome, str]:
    """Return the outcome, and what is wrong if anything is."""
    if seen.hung:
        return Outcome.HANG, f"no end within {HANG_SECONDS} s"
    if seen.status == 0:
        return Outcome.WRONG, f"no answer: {seen.broken}"
    if seen.status != 200:
        return _judge_error(request, seen)
    try:
        return _judge_answer(request, seen)
    except (LookupError, TypeError, AttributeError) as error:
        return Outcome.WRONG, f"not of its API: {error!r}"


def _judge_error(request: Request, seen: Seen) -> tuple[Outcome, str]:
    if seen.broken or seen.status not in ERROR_STATUSES:
        return Outcome.WRONG, f"status {seen.status}, {seen.broken or 'though it is not the fault of the client'}"
    try:
        body = json.loads(seen.body)
        has_shape = bool(body["error"]["message"]) and (request.path != MESSAGES or body["type"] == "error")
    except (ValueError, LookupError, TypeError):
        has_shape = False
    return (Outcome.CLEAR_ERROR, "") if has_shape else (Outcome.WRONG, f"status {seen.status} without an error's shape")


def _judge_answer(request: Request, seen: Seen) -> tuple[Outcome, str]:
    told = read_stream(request.path, seen.body) if request.is_streamed else read_whole(request.path, seen.body)
    truth = answer_to(request.number)
    if not truth.startswith(told.text):
        return Outcome.WRONG, f"wrong words: {told.text!r} instead of {truth!r}"
    named = seen.headers.get("x-plano-model", "").rpartition("/")[2]
    if not request.is_for_agent and not told.models <= {named}:
        return Outcome.WRONG, f"of {told.models}, but the headers name {named}"
    # What is visibly not the end of an answer, or not one at all. An agent's bytes are its own: damage to them passes.
    if told.damaged and not request.is_for_agent and not seen.broken:
        return Outcome.WRONG, f"damaged: {told.damaged!r}"
    if told.error and told.is_complete:
        return Outcome.WRONG, f"both complete and an error: {told.error}"
    if told.damaged or told.error or not told.is_complete:
        return _judge_cut(request, seen, told)
    if told.text != truth:
        return Outcome.WRONG, f"looks complete: {told.text!r} instead of {truth!r}"
    if seen.broken and not request.is_streamed:
        return _judge_cut(request, seen, told)
    return (Outcome.WHOLE if seen.headers.get("x-plano-attempts") == "1" else Outcome.FAILED_OVER), ""


def _judge_cut(request: Request, seen: Seen, told: Told) -> tuple[Outcome, str]:
    # An agent's bytes are its own. A model's stream that nobody could continue ends with an error, nothing else is ever cut.
    if request.is_for_agent or (told.error and request.is_streamed and not seen.broken):
        return Outcome.CUT, ""
    return Outcome.WRONG, f"ends without an end: {told.text!r} {seen.broken}"
