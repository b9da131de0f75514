"""Types of single values."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from control_plane.config.model.types import Cidr, Duration, IpAddress, Port

DURATION = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("500ms", 0.5), ("0.005s", 0.005), ("1m", 60), ("1h", 3600), ("24h", 86400), ("1.5m", 90)],
)
def test_durations(text: str, seconds: float) -> None:
    assert DURATION.validate_python(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value", ["30", 30, 0.5, "", "s", "-1s", "1 s", "1d", "1e3s", "0s", "0.1ms", "25h", "30S", "1s\n", "٣s", None, True]
)
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValidationError):
        DURATION.validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value"), [(Port, 0), (Port, 65536), (IpAddress, "localhost"), (IpAddress, "0.0.0.0/0"), (Cidr, "10.0.0.1/8")]
)
def test_what_is_out_of_range(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_ports_may_come_from_variables() -> None:
    assert TypeAdapter(Port).validate_python("8001") == 8001
