"""`plano check` and `plano dump`: validate and translate a file without a running gateway."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from control_plane.cli.options import FILE, errors_in_words, json_option
from control_plane.errors import ConfigError, Problem
from control_plane.inspection import Inspection, inspect_file
from control_plane.reading import EXAMPLE_RUNTIME
from control_plane.report.problems import problems_json, problems_text
from control_plane.xds.resources import Resources
from control_plane.xds.views import VIEWS, render_view


@click.command()
@click.argument("file", type=FILE)
@json_option
def check(file: Path, *, as_json: bool) -> None:
    """List all problems of FILE (- for standard input); exit 1 if there is any."""
    problems: tuple[Problem, ...] = ()
    with errors_in_words():
        try:
            warnings = _inspect(file).warnings
        except ConfigError as error:
            problems, warnings = error.problems, error.warnings
    click.echo(problems_json(problems, warnings) if as_json else "\n".join(problems_text(problems, warnings)))
    sys.exit(1 if problems else 0)


@click.command()
@click.argument("file", type=FILE)
@click.option("--view", type=click.Choice(tuple(VIEWS)), help="One part; without it, all.")
def dump(file: Path, view: str | None) -> None:
    """Show the resources for Envoy and ext_proc as YAML, secrets redacted."""
    with errors_in_words():
        resources = _inspect(file).resources
    click.echo(render_view(resources, view) if view else "---\n".join(_all_views(resources)), nl=False)


def _all_views(resources: Resources) -> Iterator[str]:
    for view in VIEWS:
        if text := render_view(resources, view):
            yield f"# {view}\n{text}"


def _inspect(file: Path) -> Inspection:
    return inspect_file(file, env=os.environ, runtime=EXAMPLE_RUNTIME)
