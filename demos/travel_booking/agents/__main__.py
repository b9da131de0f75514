"""Serve one agent: `python -m demos.travel_booking.agents weather_agent [--host H] [--port P]`."""

import argparse
import logging
import os

import uvicorn

from demos.travel_booking.agents import currency, flight, weather
from demos.travel_booking.agents.service import build_service
from demos.travel_booking.agents.settings import Settings

AGENTS = {agent.id: agent for agent in (weather.AGENT, flight.AGENT, currency.AGENT)}


def build_parser() -> argparse.ArgumentParser:
    """Build the command line."""
    parser = argparse.ArgumentParser(prog="python -m demos.travel_booking.agents", description="Serve one travel agent.")
    parser.add_argument("agent", choices=sorted(AGENTS))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, help="default: the agent's own (10510, 10520, 10530)")
    return parser


def main() -> None:
    """Serve until a signal comes."""
    arguments = build_parser().parse_args()
    agent = AGENTS[arguments.agent]
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    service = build_service(agent, Settings.from_environment(os.environ))
    uvicorn.run(service, host=arguments.host, port=arguments.port or agent.port, log_level="warning")


if __name__ == "__main__":
    main()
