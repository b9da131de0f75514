"""`plano cli-agent` becomes the agent, which finds the gateway in its environment or arguments."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.instances import COMMAND
from tests.cli.test_check import plano

CONFIG = """
version: v0.4.0
model_providers:
  - {model: openai/gpt-4o, access_key: $KEY}
  - {model: anthropic/claude-haiku-4-5, access_key: $KEY}
model_aliases:
  arch.claude.code.small.fast: {target: claude-haiku-4-5}
listeners:
  - {type: model, name: models, port: 12345}
"""
AGENT = "#!{python}\nimport json, os, sys\nprint(json.dumps([sys.argv, dict(os.environ)]))\n"
"""Tells what it was started with."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    for name in ("claude", "codex"):
        program = tmp_path / name
        program.write_text(AGENT.format(python=sys.executable))
        program.chmod(0o755)
    return tmp_path


def started(folder: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-own", "NO_PROXY": "example.com"}
    command = [*COMMAND, "cli-agent", *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert not done.stderr
    argv, environment = json.loads(done.stdout)
    return argv[1:], environment


def test_claude_asks_the_model_listener(folder: Path) -> None:
    arguments, environment = started(folder, "claude", "config.yaml", "--", "-p", "hello")
    assert arguments == ["-p", "hello"]
    assert environment["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:12345"
    assert environment["ANTHROPIC_SMALL_FAST_MODEL"] == "arch.claude.code.small.fast"
    assert (environment["ANTHROPIC_AUTH_TOKEN"], environment["ANTHROPIC_API_KEY"]) == ("plano", "")
    assert environment["NO_PROXY"] == "example.com,127.0.0.1,localhost,::1"


def test_settings_are_claudes_but_for_those_that_are_variables(folder: Path) -> None:
    settings = {"ANTHROPIC_SMALL_FAST_MODEL": "gpt-4o", "NON_INTERACTIVE_MODE": True, "model": "gpt-4o"}
    arguments, environment = started(folder, "claude", "--settings", json.dumps(settings))
    assert arguments == ['--settings={"model": "gpt-4o"}']
    assert (environment["ANTHROPIC_SMALL_FAST_MODEL"], environment["CI"]) == ("gpt-4o", "true")


def test_codex_gets_a_provider(folder: Path) -> None:
    arguments, environment = started(folder, "codex", "--", "exec", "hello")
    assert arguments[-4:] == ["-c", 'model_provider="plano"', "exec", "hello"]
    assert 'base_url = "http://127.0.0.1:12345/v1", wire_api = "responses"' in arguments[1]
    assert environment["OPENAI_API_KEY"] == "plano"


def test_what_is_wrong_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    env = {"KEY": "sk-1", "PATH": "/nowhere"}
    assert plano("cli-agent", "codex", env=env).stderr == "plano: codex is not installed: `npm install -g @openai/codex`\n"
    assert "--settings is not JSON" in plano("cli-agent", "claude", "--settings", "{", env=env).stderr
    listeners = "[{type: agent, name: a, port: 8001, agents: [{id: w, description: w}]}]"
    Path("agents.yaml").write_text(f"version: v0.4.0\nagents: [{{id: w, url: 'http://w'}}]\nlisteners: {listeners}\n")
    refused = plano("cli-agent", "claude", "agents.yaml", env=env)
    assert "no model listener" in refused.stderr
