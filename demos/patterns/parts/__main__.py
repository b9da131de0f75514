"""Serve all parts: `python -m demos.patterns.parts [--port 10600]`."""

import argparse

from demos.patterns.parts.server import build_app
from demos.travel_booking.serving import add_arguments, serve


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m demos.patterns.parts", description="Serve the parts of the patterns.")
    add_arguments(parser, port=10600)
    serve(build_app(), parser.parse_args())


if __name__ == "__main__":
    main()
