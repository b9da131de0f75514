"""`python -m demos.patterns`: ask every pattern through a gateway on this machine. `make patterns` runs it.

Needs no key and no network. Exits 0 only if every answer, streamed and whole, was as expected.
"""

import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from openai import DefaultHttpxClient, OpenAI, PermissionDeniedError

from demos.patterns.questions import QUESTIONS, Question
from demos.travel_booking.__main__ import show_logs
from demos.travel_booking.run.children import Children, DemoFailed
from demos.travel_booking.run.gateway import choose_ports, running_gateway

CONFIG = Path(__file__).with_name("plano_config.yaml")
PARTS = "http://127.0.0.1:10600"
TIMEOUT_SECONDS = 60


def main() -> int:
    """Run all patterns and return the exit status."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="plano-patterns-") as folder:
        try:
            failed = run(Path(folder))
        except DemoFailed as failure:
            print(f"\nThe patterns failed: {failure}", file=sys.stderr)
            failed = len(QUESTIONS)
        if failed:
            show_logs(Path(folder))
    print(f"\n{failed} of {len(QUESTIONS)} questions failed." if failed else "\nAll were answered as expected.")
    return 1 if failed else 0


def run(folder: Path) -> int:
    """Start everything, ask the questions, stop everything; return how many answers were wrong."""
    with Children(folder) as children:
        parts = children.start("parts", ["demos.patterns.parts"], {})
        config = build_config(parts)
        path = folder / "plano_config.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        children.wait_until_healthy()
        with running_gateway(path, folder / "run", {"CLASSIFIER_KEY": "the-rules-take-any-key"}):
            ports = {listener["name"]: listener["port"] for listener in config["listeners"]}
            return sum([not ask(question, ports[question.pattern]) for question in QUESTIONS])


def build_config(parts: str) -> dict[str, Any]:
    """Return the configuration with the URL of the parts and with ports that are free."""
    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8").replace(PARTS, parts))
    admin, metrics, control_plane_metrics, *ports = choose_ports(3 + len(config["listeners"]))
    for listener, port in zip(config["listeners"], ports, strict=True):
        listener["port"] = port
    config["overrides"] |= {"admin_port": admin, "metrics_port": metrics, "control_plane_metrics_port": control_plane_metrics}
    return config


def ask(question: Question, port: int) -> bool:
    """Ask twice, streamed and whole, and show the answer; return whether both were right."""
    print(f"\n{question.pattern}: {question.text}")
    http = DefaultHttpxClient(timeout=TIMEOUT_SECONDS, trust_env=False)
    with OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none-needed", max_retries=0, http_client=http) as client:
        streamed, whole = _streamed(client, question.text), _whole(client, question.text)
    expected = (question.answer, question.agents, question.verdict)
    print(f"  {question.agents or 'refused'}{f' ({question.verdict})' if question.verdict else ''}\n  {streamed[0]}")
    for form, got in (("streamed", streamed), ("whole", whole)):
        if got != expected:
            print(f"  NOT AS EXPECTED, {form}: {got}")
    return streamed == whole == expected


def _streamed(client: OpenAI, text: str) -> tuple[str, str, str | None]:
    try:
        response = client.chat.completions.with_raw_response.create(
            model="any", messages=[{"role": "user", "content": text}], stream=True
        )
        said = "".join(chunk.choices[0].delta.content or "" for chunk in response.parse() if chunk.choices)
    except PermissionDeniedError as refusal:
        return _message(refusal), "", None
    return said, response.headers.get("x-plano-agent", ""), response.headers.get("x-plano-verdict")


def _whole(client: OpenAI, text: str) -> tuple[str, str, str | None]:
    try:
        response = client.chat.completions.with_raw_response.create(model="any", messages=[{"role": "user", "content": text}])
    except PermissionDeniedError as refusal:
        return _message(refusal), "", None
    said = response.parse().choices[0].message.content or ""
    return said, response.headers.get("x-plano-agent", ""), response.headers.get("x-plano-verdict")


def _message(refusal: PermissionDeniedError) -> str:
    return str(refusal.body["message"]) if isinstance(refusal.body, dict) else str(refusal)


if __name__ == "__main__":
    sys.exit(main())
