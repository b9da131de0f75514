"""The model that names agents: reads the gateway's prompt for orchestrators, and answers as JSON."""

import json
import re

from demos.patterns.parts.conversation import Messages, last_said, words


def classify(messages: Messages) -> str:
    """Name the agents that take part in everything, or else the one whose description shares most words with the question."""
    prompt = last_said(messages, "user")
    routes = {route["name"]: route["description"] for route in map(json.loads, _between(prompt, "routes").splitlines())}
    question = words(last_said(json.loads(_between(prompt, "conversation")), "user"))
    always = [name for name, description in routes.items() if "every" in words(description)]
    score = {name: len(words(description) & question) for name, description in routes.items()}
    best = max(score, key=score.__getitem__)
    return json.dumps({"route": always or ([best] if score[best] else [])})


def _between(text: str, tag: str) -> str:
    found = re.search(rf"<{tag}>\n(.*)\n</{tag}>", text, re.DOTALL)
    return found[1] if found else ""
