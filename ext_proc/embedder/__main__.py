"""`python -m ext_proc.embedder`: started by the master; ends with it."""

import asyncio
import os
import signal
import socket
import sys

import click
from aiohttp import web

from ext_proc.embedder.files import model_file, tokenizer_file
from ext_proc.embedder.model import SentenceModel
from ext_proc.embedder.server import Embed, Embedder
from ext_proc.parent import when_parent_ends
from process_log import configure_logging, get_logger


@click.command()
@click.option("--socket", "number", required=True, type=int, help="The file descriptor on which to listen.")
@click.option("--threads", default=os.cpu_count() or 1, show_default="one per core", type=click.IntRange(min=1))
@click.option("--log-level", default="INFO", show_default=True)
def main(number: int, threads: int, log_level: str) -> None:
    """Serve embeddings to the workers, through Envoy."""
    configure_logging(log_level, service="embedder", pid=os.getpid())
    asyncio.run(_serve(socket.socket(fileno=number), threads))


async def _serve(listener: socket.socket, threads: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    when_parent_ends(loop, stop)
    runner = web.AppRunner(Embedder(_load, threads).app(), access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    get_logger().info("embedder_listening")
    await stop.wait()
    await runner.cleanup()


def _load() -> Embed:
    model = SentenceModel(model_file(), tokenizer_file())
    get_logger().info("embedder_loaded")
    return model.embed


if __name__ == "__main__":
    sys.exit(main())
