"""The agents: each turns the messages of a chat completion into an answer."""

import json
import re
from collections.abc import Callable

from demos.patterns.parts.conversation import Messages, last_said

Agent = Callable[[Messages], str]
CRITERIA = {"euros": "Name the price.", "warranty": "Mention the warranty."}
"""Word that the critic looks for -> its feedback if the word is missing."""
SENTENCES = {"price": "It costs 49 euros.", "warranty": "It has a warranty of five years."}
"""Word of a feedback -> what the writer adds."""


def support(messages: Messages) -> str:
    """Promise an answer, and say how many addresses were readable."""
    question = last_said(messages, "user")
    address = re.search(r"\[EMAIL_\d+\]", question)
    return f"We saw {question.count('@')} addresses, and write to {address[0] if address else 'nobody'} today."


def writer(messages: Messages) -> str:
    """Add what the feedback asks for to the last draft."""
    draft, feedback = last_said(messages, "assistant"), last_said(messages, "user").lower()
    added = [sentence for word, sentence in SENTENCES.items() if draft and word in feedback]
    return " ".join([draft or "The Fjord lamp lights a whole desk.", *added])


def critic(messages: Messages) -> str:
    """Judge a draft, as the gateway asks evaluators to."""
    draft = last_said(messages, "user")
    feedback = next((feedback for word, feedback in CRITERIA.items() if word not in draft), None)
    return json.dumps({"verdict": "revise", "feedback": feedback} if feedback else {"verdict": "pass"})


def handbook(messages: Messages) -> str:
    """Answer from the context alone."""
    return last_said(messages, "system") or "The handbook does not say."


def editor(messages: Messages) -> str:
    """Make one answer of several, in their order."""
    return "\n".join(f"- {said['content']}" for said in messages if said["role"] == "assistant")


def outliner(messages: Messages) -> str:
    """Write an outline."""
    return f"Outline of {last_said(messages, 'user')!r}: origin; brewing; taste"


def drafter(messages: Messages) -> str:
    """Write a sentence for each point of the outline."""
    points = last_said(messages, "assistant").partition(": ")[2].split("; ")
    return " ".join(f"a few words on {point}." for point in points)


def improver(messages: Messages) -> str:
    """Let sentences begin with a capital."""
    return re.sub(r"(^|\. )(\w)", lambda start: start[1] + start[2].upper(), last_said(messages, "assistant"))


def says(text: str) -> Agent:
    """Return an agent that has one thing to say."""
    return lambda _: text


AGENTS: dict[str, Agent] = {
    "support": support,
    "writer": writer,
    "critic": critic,
    "handbook": handbook,
    "market": says("Sales of heat pumps grew by 9 %."),
    "papers": says("Most papers are on propane."),
    "patents": says("Most patents are on quiet fans."),
    "editor": editor,
    "outliner": outliner,
    "drafter": drafter,
    "improver": improver,
    "billing": says("Billing here: refunds take three days."),
    "technical": says("Technical support here: please send the log."),
}
