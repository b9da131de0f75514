"""Serve one agent: `python -m demos.travel_booking.agents weather_agent [--host H] [--port P]`."""

import argparse
import logging
import os

from demos.travel_booking.agents import currency, flight, weather
from demos.travel_booking.agents.service import build_service
from demos.travel_booking.agents.settings import Settings
from demos.travel_booking.serving import add_arguments, serve

AGENTS = {agent.id: agent for agent in (weather.AGENT, flight.AGENT, currency.AGENT)}


def build_parser() -> argparse.ArgumentParser:
    """Build the command line."""
    parser = argparse.ArgumentParser(prog="python -m demos.travel_booking.agents", description="Serve one travel agent.")
    parser.add_argument("agent", choices=sorted(AGENTS))
    add_arguments(parser, port=None)
    return parser


def main() -> None:
    """Serve until a signal comes."""
    arguments = build_parser().parse_args()
    agent = AGENTS[arguments.agent]
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    for client in ("httpx", "httpx2"):
        # Their request lines hold URLs, and with them what travellers ask.
        logging.getLogger(client).setLevel(logging.WARNING)
    service = build_service(agent, Settings.from_environment(os.environ))
    arguments.port = arguments.port or agent.port
    serve(service, arguments)


if __name__ == "__main__":
    main()
