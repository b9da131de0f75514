"""Serve the stand-in: `STAND_IN_API_KEY=... python -m demos.travel_booking.stand_in_provider [--host H] [--port P]`."""

import argparse
import os

from demos.travel_booking.serving import add_arguments, serve
from demos.travel_booking.stand_in_provider.app import build_app

KEY_VARIABLE = "STAND_IN_API_KEY"


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m demos.travel_booking.stand_in_provider")
    add_arguments(parser, port=10580)
    arguments = parser.parse_args()
    if not (key := os.environ.get(KEY_VARIABLE)):
        parser.error(f"{KEY_VARIABLE} must hold the key that clients have to send")
    serve(build_app(key), arguments)


if __name__ == "__main__":
    main()
