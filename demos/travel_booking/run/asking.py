"""Asks the questions through the agent listener with the official OpenAI client, and shows each answer as it arrives."""

import sys
from collections.abc import Callable, Sequence

import httpx
from openai import DefaultHttpxClient, OpenAI, OpenAIError
from openai.types.chat import ChatCompletionMessageParam

from demos.travel_booking.run.questions import Question, Reply, check

INDENT = "     "
TIMEOUT_SECONDS = 60


def ask_all(url: str, questions: Sequence[Question], wait_until_embedded: Callable[[], None]) -> list[list[str]]:
    """Ask one question after the other; return what is wrong with each answer.

    Only the semantic rung names several agents, and only once it has embedded their descriptions.
    """
    replies: list[Reply] = []
    problems = []
    with OpenAI(base_url=f"{url}/v1", api_key="none-needed", max_retries=0, http_client=_http()) as client:
        for number, question in enumerate(questions, start=1):
            print(f"\n{number}/{len(questions)}  {question.text}\n{INDENT}({question.shows})")
            if question.rungs == ("semantic",):
                wait_until_embedded()
            try:
                replies.append(_ask(client, _messages(question, questions, replies)))
                problems.append(check(question, replies[-1]))
            except (OpenAIError, httpx.HTTPError) as error:
                replies.append(Reply("", "", ""))
                problems.append([f"no answer: {error}"])
            for problem in problems[-1]:
                print(f"{INDENT}NOT AS EXPECTED: {problem}")
    return problems


def _messages(question: Question, asked: Sequence[Question], replies: Sequence[Reply]) -> list[ChatCompletionMessageParam]:
    before: list[ChatCompletionMessageParam] = []
    if question.after is not None:
        before = [
            {"role": "user", "content": asked[question.after].text},
            {"role": "assistant", "content": replies[question.after].text},
        ]
    return [*before, {"role": "user", "content": question.text}]


def _ask(client: OpenAI, messages: list[ChatCompletionMessageParam]) -> Reply:
    # The agent decides which models it uses; the client's field is required by the API and means nothing here.
    response = client.chat.completions.with_raw_response.create(model="travel", messages=messages, stream=True)
    agent, decision = response.headers.get("x-plano-agent", ""), response.headers.get("x-plano-decision", "")
    print(f"{INDENT}agent  {agent or '(none)'}\n{INDENT}why    {decision or '(unknown)'}\n\n{INDENT}", end="")
    pieces = []
    for chunk in response.parse():
        if chunk.choices and (piece := chunk.choices[0].delta.content):
            pieces.append(piece)
            sys.stdout.write(piece.replace("\n", f"\n{INDENT}"))
            sys.stdout.flush()
    print()
    return Reply(agent, decision, "".join(pieces))


def _http() -> DefaultHttpxClient:
    """Return a client that goes straight to this machine, whatever proxy the environment names."""
    return DefaultHttpxClient(timeout=TIMEOUT_SECONDS, trust_env=False)
