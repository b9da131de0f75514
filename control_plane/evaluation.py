"""Decides labelled conversations by a configuration, in a separate ext_proc process."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from control_plane.errors import ConfigError, Problem
from control_plane.ir import Gateway
from protos import filter_config_pb2 as pb

SAFE_PATH: Final = "-P"
"""Modules are not imported from the current folder."""


class CannotEvaluate(Exception):
    """There is nothing to decide, or a needed process is missing; the message says which."""


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation and the expected agents or preference."""

    line: int
    messages: Sequence[Any]
    expect: tuple[str, ...]
    """In any order; empty: nothing fits."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decision for a case."""

    case: Case
    names: tuple[str, ...]
    """Empty: nothing fits."""
    rung: str
    reason: str
    seconds: float

    @property
    def is_right(self) -> bool:
        """Whether exactly the expected names were decided."""
        return set(self.names) == set(self.case.expect)


@dataclass(frozen=True, slots=True)
class Subject:
    """The listener whose decision is evaluated."""

    listener: str
    names: tuple[str, ...]
    """Ids of its agents, or names of preferences, in the declared order."""
    default: str = ""
    """Id of the default agent, which cases may expect."""


def find_subject(gateway: Gateway, listener: str | None) -> Subject:
    """Return the listener named, or the only one that decides.

    Raises:
        CannotEvaluate: there is none, or there are several.
    """
    subjects = [subject for subject in _subjects(gateway) if listener in (None, subject.listener)]
    if len(subjects) == 1:
        return subjects[0]
    if not subjects:
        named = f'listener "{listener}"' if listener else "the configuration"
        raise CannotEvaluate(f"{named} leaves nothing to decide: it has no listener with several agents, and no preferences")
    names = ", ".join(subject.listener for subject in subjects)
    raise CannotEvaluate(f"several listeners decide ({names}): choose one with --listener")


def _subjects(gateway: Gateway) -> Iterator[Subject]:
    for plan in gateway.filter_config.listeners:
        if plan.kind == pb.Listener.AGENT and len(plan.agents) > 1:
            default = next((agent.id for agent in plan.agents if agent.default), "")
            yield Subject(plan.name, tuple(agent.id for agent in plan.agents), default)
        elif plan.kind == pb.Listener.MODEL and gateway.filter_config.preferences:
            yield Subject(plan.name, tuple(preference.name for preference in gateway.filter_config.preferences))


def asks_providers(gateway: Gateway) -> bool:
    """Whether decisions need models of providers, which need a running gateway."""
    config = gateway.filter_config
    choosing = config.HasField("orchestrator") or config.HasField("routing_model")
    return choosing or (config.HasField("embedding") and not config.embedding.built_in)


def read_cases(file: Path, subject: Subject) -> list[Case]:
    """Read a JSON object a line, with `messages` and `expect`.

    Raises:
        ConfigError: with every invalid line.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotEvaluate(f"cannot read {file}: {error}") from None
    read = [_read(line, number, subject) for number, line in enumerate(lines, 1) if line.strip()]
    problems = tuple(
        Problem(path=path, code="bad-case", message=message, file=str(file), line=case.line)
        for case, path, message in read
        if message
    )
    if problems or not read:
        raise ConfigError(problems or (Problem(path="", code="no-cases", message="holds no conversation", file=str(file)),), ())
    return [case for case, _, _ in read]


def _read(line: str, number: int, subject: Subject) -> tuple[Case, str, str]:
    """Return a case, or the path and the message of its error."""
    nothing = Case(number, (), ())
    try:
        value = json.loads(line)
    except ValueError as error:
        return nothing, "", f"should be JSON: {error}"
    if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
        return nothing, "messages", "should be a list of messages, as in Chat Completions"
    expect = value.get("expect")
    if not isinstance(expect, list):
        return nothing, "expect", "should be a list of names, empty where nothing fits"
    unknown = [name for name in expect if name not in subject.names]
    if unknown:
        return nothing, "expect", f"{unknown[0]!r} is none of {', '.join(subject.names)}"
    meant = () if expect == [subject.default] else tuple(expect)
    return Case(number, value["messages"], meant), "", ""


def evaluate(gateway: Gateway, subject: Subject, cases: Sequence[Case], file: Path) -> list[Outcome]:
    """Have every case decided.

    Raises:
        ConfigError: the messages of a case are not a conversation.
        CannotEvaluate: ext_proc failed.
    """
    asked = {
        "config": base64.b64encode(gateway.filter_config.SerializeToString()).decode(),
        "listener": subject.listener,
        "conversations": [case.messages for case in cases],
    }
    command = (sys.executable, SAFE_PATH, "-m", "ext_proc.evaluation")
    done = subprocess.run(command, input=json.dumps(asked).encode(), capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        raise CannotEvaluate(f"ext_proc failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    problems = tuple(
        Problem(path="messages", code="bad-case", message=answer["error"], file=str(file), line=case.line)
        for case, answer in zip(cases, answers, strict=True)
        if "error" in answer
    )
    if problems:
        raise ConfigError(problems, ())
    return [
        Outcome(case, tuple(answer["names"]), answer["rung"], answer["reason"], answer["seconds"])
        for case, answer in zip(cases, answers, strict=True)
    ]
