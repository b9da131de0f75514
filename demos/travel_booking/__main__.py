"""`python -m demos.travel_booking`: the Travel Booking Assistant, all of it, on this machine. `make demo` runs it.

Without OPENAI_API_KEY a stand-in provider answers in place of OpenAI; the agents' public APIs are recorded answers either way.
Exits 0 only if all six questions were answered as expected.
"""

import os
import secrets
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from types import FrameType

import yaml

from demos.travel_booking.run.asking import ask_all
from demos.travel_booking.run.children import Children, DemoFailed
from demos.travel_booking.run.gateway import Ports, build_config, free_ports, running_gateway, wait_until_embedded
from demos.travel_booking.run.questions import QUESTIONS

AGENTS = ("weather_agent", "flight_agent", "currency_agent")
LOG_LINES = 20


def main() -> int:
    """Run the demo and return its exit status."""
    signal.signal(signal.SIGTERM, _stop)
    with tempfile.TemporaryDirectory(prefix="plano-demo-") as folder:
        try:
            problems = run(Path(folder), os.environ.get("OPENAI_API_KEY"))
        except DemoFailed as failure:
            print(f"\nThe demo failed: {failure}", file=sys.stderr)
            show_logs(Path(folder))
            return 1
        except KeyboardInterrupt:
            print("\nStopped.", file=sys.stderr)
            return 130
        if any(problems):
            show_logs(Path(folder))
    return summary(problems)


def run(folder: Path, real_key: str | None) -> list[list[str]]:
    """Start everything, ask the questions, stop everything; return what was wrong with each answer."""
    ports = free_ports()
    key = real_key or secrets.token_urlsafe(24)
    print("Travel Booking Assistant: three agents behind the gateway")
    print(f"  provider  {'OpenAI' if real_key else 'the stand-in (OPENAI_API_KEY is not set)'}")
    with Children(folder) as children:
        provider = None if real_key else start_stand_in(children, key)
        agents = start_agents(children, ports)
        config = folder / "plano_config.yaml"
        config.write_text(yaml.safe_dump(build_config(ports, agents, provider), sort_keys=False), encoding="utf-8")
        children.wait_until_healthy()
        for agent, url in agents.items():
            print(f"  agent     {url}  {agent}")
        with running_gateway(config, folder / "run", {"OPENAI_API_KEY": key}):
            print(f"  gateway   http://127.0.0.1:{ports.agents}  agents\n  gateway   http://127.0.0.1:{ports.models}  models")
            return ask_all(f"http://127.0.0.1:{ports.agents}", QUESTIONS, partial(wait_until_embedded, folder / "run"))


def start_stand_in(children: Children, key: str) -> str:
    """Start the stand-in provider and return its URL."""
    module = ["demos.travel_booking.stand_in_provider"]
    return children.start("stand_in_provider", module, {"STAND_IN_API_KEY": key})


def start_agents(children: Children, ports: Ports) -> dict[str, str]:
    """Start the recorded APIs and the agents, which ask models through the gateway; return the agents' URLs."""
    recorded = children.start("recorded_apis", ["demos.travel_booking.recorded_apis"], {})
    environment = {
        "LLM_GATEWAY_ENDPOINT": f"http://127.0.0.1:{ports.models}/v1",
        "OPEN_METEO_GEOCODING_URL": recorded,
        "OPEN_METEO_URL": recorded,
        "AEROAPI_URL": recorded,
        "AEROAPI_KEY": "recorded-answers-take-any-key",
        "FRANKFURTER_URL": recorded,
        "NO_PROXY": "127.0.0.1",
        # Agents have no provider key: their models answer because the gateway puts it in.
        "OPENAI_API_KEY": "",
    }
    return {agent: children.start(agent, ["demos.travel_booking.agents", agent], environment) for agent in AGENTS}


def show_logs(folder: Path) -> None:
    """Print the end of every log."""
    for log in sorted(folder.rglob("*.log")):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        if lines:
            print(f"\n--- {log.relative_to(folder)}", *lines[-LOG_LINES:], sep="\n", file=sys.stderr)


def summary(problems: list[list[str]]) -> int:
    """Print how it went and return the exit status."""
    print("\nSummary")
    for question, found in zip(QUESTIONS, problems, strict=True):
        print(f"  {'FAILED' if found else 'ok':<7} {question.agent:<27} {question.text}")
    failed = sum(map(bool, problems))
    print(f"{failed} of {len(problems)} questions failed." if failed else "All six were answered as expected.")
    return 1 if failed else 0


def _stop(number: int, _: FrameType | None) -> None:
    """Turn a signal into an exit that stops everything on its way out."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
