"""`plano up`, `down`, `status`, `logs`: commands on an instance and its run dir."""

import os
import shlex
import sys
from contextlib import suppress
from pathlib import Path

import click

from control_plane.cli.attached import become_supervisor, show
from control_plane.cli.options import FILE, errors_in_words, fail, json_option, run_dir_option
from control_plane.report.problems import problem_line
from control_plane.report.status import status_json, status_text
from control_plane.supervisor.detach import run_detached
from control_plane.supervisor.down import stop_gateway
from control_plane.supervisor.logs import COMPONENTS, follow_logs, open_logs, show_logs
from control_plane.supervisor.overview import look
from control_plane.supervisor.request import UpRequest, available_cpus
from control_plane.supervisor.run_dir import default_run_dir


@click.command()
@click.argument("file", type=FILE, required=False)
@click.option("--detach", is_flag=True, help="Return once healthy; the gateway goes on in the background.")
@run_dir_option
@click.option("--workers", type=click.IntRange(1, 256), default=available_cpus, show_default="one per CPU", help="Of ext_proc.")
@click.option(
    "--timeout", type=click.FloatRange(min=1), default=60.0, show_default=True, help="Seconds until it must be healthy."
)
def up(file: Path | None, *, detach: bool, run_dir: Path, workers: int, timeout: float) -> None:
    """Run the gateway that FILE describes (without FILE: plano_config.yaml, else config.yaml)."""
    # Other commands need neither.
    from control_plane.reading import EXAMPLE_RUNTIME, find_config, read_config
    from control_plane.supervisor.summary import summarize

    with errors_in_words():
        file = find_config(file, Path.cwd()).absolute()
        reading = read_config(file, env=os.environ, runtime=EXAMPLE_RUNTIME)
        for warning in reading.warnings:
            click.echo(f"warning: {problem_line(warning)}")
        request = UpRequest(
            config_file=file, run_dir=run_dir, workers=workers, timeout_seconds=timeout, summary=summarize(reading)
        )
        if not detach:
            become_supervisor(request)
        show(request, _down_command(run_dir), run_detached(request, tell=click.echo))


@click.command()
@run_dir_option
def down(run_dir: Path) -> None:
    """Stop the gateway of a run dir; requests in flight may finish."""
    with errors_in_words():
        stopped = stop_gateway(run_dir, tell=click.echo)
    click.echo("Stopped." if stopped else f"Nothing runs in {run_dir}.")


@click.command()
@run_dir_option
@json_option
def status(run_dir: Path, *, as_json: bool) -> None:
    """Show processes, listeners, upstreams, configuration and acknowledgements; exit 1 unless all is healthy."""
    overview = look(run_dir)
    click.echo(status_json(overview) if as_json else "\n".join(status_text(overview)))
    sys.exit(0 if overview.healthy else 1)


@click.command()
@click.argument("component", type=click.Choice(COMPONENTS), required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option("-n", "--lines", type=click.IntRange(0), default=50, show_default=True, help="Of each log, to begin with.")
@run_dir_option
def logs(component: str | None, *, follow: bool, lines: int, run_dir: Path) -> None:
    """Show the logs of a run dir: all, or one COMPONENT's."""
    if not run_dir.is_dir():
        fail(f"plano: no run dir {run_dir}: nothing ran there yet")
    files = open_logs(run_dir, component)
    show_logs(files, lines=lines, say=click.echo)
    if follow:
        with suppress(KeyboardInterrupt):
            follow_logs(files, say=click.echo)


def _down_command(run_dir: Path) -> str:
    return "`plano down`" if run_dir == default_run_dir() else f"`plano down --run-dir {shlex.quote(str(run_dir))}`"
