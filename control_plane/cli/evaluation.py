"""`plano eval`: measures the decisions of a configuration on labelled conversations."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from control_plane.cli.options import FILE, errors_in_words, fail, json_option, run_dir_option
from control_plane.evaluation import CannotEvaluate, asks_providers, evaluate, find_subject, read_cases
from control_plane.gateway import Runtime
from control_plane.reading import EXAMPLE_RUNTIME, find_config, read_config
from control_plane.report.evaluation import accuracy, evaluation_json, evaluation_text
from control_plane.supervisor.overview import Overview, look
from control_plane.supervisor.run_dir import EGRESS_SOCKET

_EMBEDDED_HERE = "unix:///embedder.sock"
"""Placeholder for the embedder, which runs inside the evaluating process."""


@click.command("eval")
@click.argument("file", type=FILE)
@click.option("--config", "config_file", type=FILE, help="The configuration.  [default: plano_config.yaml, else config.yaml]")
@click.option("--listener", help="Whose decisions are evaluated, if several listeners decide.")
@click.option("--min-accuracy", type=click.FloatRange(0, 1), help="Exit with 1 if fewer are decided right, such as 0.85.")
@run_dir_option
@json_option
def eval_(
    file: Path, *, config_file: Path | None, listener: str | None, min_accuracy: float | None, run_dir: Path, as_json: bool
) -> None:
    """Decide the labelled conversations in FILE, without answering them, and report the accuracy.

    Each line of FILE is a JSON object: `messages`, as in Chat Completions, and `expect`, a list of the agents that should
    answer, or of the matching preference; empty without a match. Models of providers are called through the gateway that
    runs in the run dir; without such models nothing needs to run.
    """
    with errors_in_words():
        config_file = find_config(config_file, Path.cwd())
        running = look(run_dir)
        gateway = read_config(config_file, env=os.environ, runtime=_runtime(running)).gateway
        try:
            subject = find_subject(gateway, listener)
            cases = read_cases(file, subject)
            if asks_providers(gateway) and not running.healthy:
                raise CannotEvaluate(f"decisions need models of providers, and no gateway runs in {run_dir}: `plano up` first")
            outcomes = evaluate(gateway, subject, cases, file)
        except CannotEvaluate as error:
            fail(f"plano: {error}")
    click.echo(evaluation_json(outcomes) if as_json else "\n".join(evaluation_text(outcomes)))
    if min_accuracy is not None and accuracy(outcomes) < min_accuracy:
        click.echo(f"accuracy {accuracy(outcomes):.4f} is below {min_accuracy}", err=True)
        sys.exit(1)


def _runtime(running: Overview) -> Runtime:
    """Return where models of providers are reached: through the running gateway, if there is one."""
    egress = f"unix://{running.instance.sockets}/{EGRESS_SOCKET}" if running.instance else EXAMPLE_RUNTIME.egress_url
    return replace(EXAMPLE_RUNTIME, egress_address=egress, egress_url=egress, embedder_address=_EMBEDDED_HERE)
