"""The command line of ext_proc: starts the master, whose forks are the workers."""

import asyncio
import os

import click
import uvloop

from ext_proc.app import WorkerSettings, run_worker
from ext_proc.process.master import Master, MasterSettings, WorkerPlace
from ext_proc.telemetry.metrics import share_values
from process_log import configure_logging


def _this_machine_only(_context: click.Context, _option: click.Parameter, address: str) -> str:
    if not address.startswith(("unix:", "127.", "[::1]:", "localhost:")):
        raise click.BadParameter("must be unix:///path or a loopback address: whoever reaches it can have providers called")
    return address


@click.command()
@click.option("--xds", required=True, help="The control plane: `unix:///path`.")
@click.option(
    "--listen",
    required=True,
    callback=_this_machine_only,
    help="Where Envoy calls: `unix:///path-{worker}.sock`, or a loopback address and the port of worker 0.",
)
@click.option("--workers", default=os.cpu_count() or 1, show_default="one per core", type=click.IntRange(min=1))
@click.option("--metrics", default="127.0.0.1:9092", show_default=True, help="Where /metrics is served.")
@click.option("--log-level", default="INFO", show_default=True, type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]))
@click.option("--grace", default=30.0, show_default=True, help="Seconds that requests in flight may take when asked to stop.")
@click.option("--embedder", default="", help="Where the embedder listens for Envoy; there is none if this is left out.")
def main(
    xds: str,
    listen: str,
    workers: int,
    metrics: str,
    log_level: str,
    grace: float,
    embedder: str,
) -> None:
    """Run the ExternalProcessor service: several workers behind one control plane."""

    def worker(place: WorkerPlace) -> None:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = place.metrics_folder
        configure_logging(log_level, service="ext_proc", worker=place.number, pid=os.getpid())
        share_values(place.number)
        settings = WorkerSettings(
            number=place.number, xds=xds, listen=place.address, sessions=place.sessions_file, grace_seconds=grace
        )
        uvloop.run(run_worker(settings))

    configure_logging(log_level, service="ext_proc")
    master = MasterSettings(
        run_worker=worker,
        workers=workers,
        listen=listen,
        metrics=metrics,
        log_level=log_level,
        grace_seconds=grace,
        embedder=embedder,
    )
    asyncio.run(run_master(master))


async def run_master(settings: MasterSettings) -> None:
    """Run a master until it is stopped."""
    await Master(settings).run()
