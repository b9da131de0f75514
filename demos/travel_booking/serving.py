"""How the demo's own servers listen: at an address, or on a socket that whoever started them has already opened.

A socket that is open before its server runs has no race for its port, and its clients wait instead of being refused.
"""

import argparse

import uvicorn
from fastapi import FastAPI


def add_arguments(parser: argparse.ArgumentParser, *, port: int | None) -> None:
    """Add --host, --port and --fd to a command line."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--fd", type=int, help="listen on this open socket instead")


def serve(app: FastAPI, arguments: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    if arguments.fd is not None:
        uvicorn.run(app, fd=arguments.fd, log_level="warning")
    else:
        uvicorn.run(app, host=arguments.host, port=arguments.port, log_level="warning")
