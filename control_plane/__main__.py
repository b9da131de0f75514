"""`python -m control_plane serve`: runs the control plane as a separate process."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from control_plane.app import Settings, serve
from control_plane.bootstrap import BootstrapSettings
from control_plane.errors import ConfigError
from control_plane.gateway import Runtime
from control_plane.report.problems import problem_line
from process_log import configure_logging


def _socket_only(_context: click.Context, _option: click.Parameter, address: str) -> str:
    if not address.startswith("unix:///"):
        raise click.BadParameter("must be unix:///path: whoever reaches this address can read all provider keys")
    return address


def _this_machine_only(_context: click.Context, _option: click.Parameter, address: str) -> str:
    if not address.startswith(("unix:", "127.", "[::1]:", "localhost:")):
        raise click.BadParameter("must be unix:///path or a loopback address: whoever reaches it can call all providers")
    return address


@click.group()
def main() -> None:
    """Run Plano's control plane."""


@main.command("serve")
@click.option(
    "--config", "config_file", required=True, type=click.Path(path_type=Path), help="The configuration; it is followed."
)
@click.option(
    "--xds", required=True, metavar="ADDRESS", callback=_socket_only, help="Where Envoy and ext_proc connect: unix:///path."
)
@click.option(
    "--egress-address",
    required=True,
    callback=_this_machine_only,
    help="Where Envoy listens for ext_proc's own calls: unix:///path or a loopback address and port.",
)
@click.option("--egress-url", required=True, help="Where ext_proc finds that: unix:///path or http://host:port.")
@click.option("--access-log", required=True, metavar="PATH", help="A file, or /dev/stdout.")
@click.option("--embedder", default="", help="Where Envoy finds ext_proc's embedder: unix:///path or host:port.")
@click.option("--max-connections", default=50_000, show_default=True, help="Of clients: half of what Envoy may open, or less.")
@click.option("--status", "status_file", type=click.Path(path_type=Path), help="Kept up to date for `plano status`.")
@click.option("--metrics", metavar="HOST:PORT", help="Where Prometheus finds /metrics.")
@click.option("--bootstrap", type=click.Path(path_type=Path), help="Where Envoy's bootstrap is written, if it is not there.")
@click.option("--admin", default="unix:///tmp/admin.sock", show_default=True, help="In the bootstrap: Envoy's admin interface.")
@click.option("--ext-proc", default="", help="In the bootstrap: where workers listen, with {worker} for their number.")
@click.option("--workers", default=1, show_default=True, help="In the bootstrap: how many workers there are.")
@click.option(
    "--log-level",
    default="INFO",
    show_default=True,
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
)
def serve_command(  # noqa: PLR0913 - one for each option
    *,
    config_file: Path,
    xds: str,
    egress_address: str,
    egress_url: str,
    access_log: str,
    embedder: str,
    max_connections: int,
    status_file: Path | None,
    metrics: str | None,
    bootstrap: Path | None,
    admin: str,
    ext_proc: str,
    workers: int,
    log_level: str,
) -> None:
    """Serve a configuration over xDS, and follow its file. Exits with 1 if it cannot be served."""
    configure_logging(log_level, component="control_plane")
    settings = Settings(
        config_file=config_file,
        xds_address=xds,
        runtime=Runtime(
            egress_address=egress_address,
            egress_url=egress_url,
            access_log_path=access_log,
            embedder_address=embedder,
            max_connections=max_connections,
        ),
        status_file=status_file,
        metrics_address=metrics,
        bootstrap=BootstrapSettings(file=bootstrap, xds=xds, admin=admin, ext_proc=ext_proc, workers=workers)
        if bootstrap
        else None,
    )
    try:
        asyncio.run(serve(settings))
    except* ConfigError as group:
        for error in _leaves(group):
            for problem in error.problems if isinstance(error, ConfigError) else ():
                click.echo(problem_line(problem), err=True)
        sys.exit(1)
    except* OSError as group:
        for error in _leaves(group):
            click.echo(f"cannot start: {error}", err=True)
        sys.exit(1)


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


if __name__ == "__main__":
    main()
