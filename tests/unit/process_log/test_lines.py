"""Lines of the log: bounded, of JSON whatever is logged, without what an error says."""

import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog

from process_log import configure_logging, get_logger


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


def lines(capture: pytest.CaptureFixture[bytes]) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in capture.readouterr().err.splitlines()]


def test_writes_json_lines_of_its_level(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    configure_logging("INFO", service="x")
    get_logger().debug("not_seen")
    get_logger().info("config_applied", version="v1")
    [line] = lines(capfdbinary)
    assert (line["event"], line["level"], line["service"], line["version"]) == ("config_applied", "info", "x", "v1")


def test_shows_where_an_error_was_but_not_what_it_says(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    configure_logging("INFO")
    try:
        int("secret")
    except ValueError as error:
        get_logger().exception("session_failed", error=error)
    [line] = lines(capfdbinary)
    assert line["error"] == "ValueError"
    assert "test_lines.py" in str(line["stack"])
    assert "secret" not in str(line)


def test_takes_in_what_libraries_log_without_its_arguments(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    configure_logging("INFO")
    logging.getLogger("httpx").info("not seen")
    logging.getLogger("grpc").error("failed with %s", "secret")
    [line] = lines(capfdbinary)
    assert (line["event"], line["logger"], line["message"]) == ("library_message", "grpc", "failed with %s")


def test_a_long_field_is_cut(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    configure_logging("INFO")
    get_logger().info("request_decided", request_id="r" * 80_000, status=200)
    [line] = lines(capfdbinary)
    assert line["request_id"] == f"{'r' * 500}... (80000 characters)"
    assert line["status"] == 200


def test_what_cannot_be_written_as_json_leaves_its_event(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    configure_logging("INFO")
    get_logger().info("request_decided", path="\ud800")
    [line] = lines(capfdbinary)
    assert (line["event"], line["unprintable"]) == ("'request_decided'", True)
