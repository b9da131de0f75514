"""Types of configuration fields: durations, ports, addresses, secrets, and the marker of fields without effect."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from control_plane.ir.secret import Secret

LONGEST_DURATION_SECONDS: Final = 24 * 3600.0
SHORTEST_DURATION_SECONDS: Final = 0.001

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)", re.ASCII)
_HOST_PATTERN: Final = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.ASCII)
_UNIT_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Section(BaseModel):
    """A mapping of the configuration file: immutable, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, arbitrary_types_allowed=True)


@dataclass(frozen=True, slots=True)
class NoEffect:
    """Marks a field that is accepted and checked but has no effect yet; using it gives a warning."""

    why: str


@dataclass(frozen=True, slots=True)
class Default:
    """Describes the default of a field if it is not a constant."""

    text: str


@dataclass(frozen=True, slots=True)
class TypeName:
    """The name of a type in the documentation."""

    text: str


def parse_duration(value: object) -> float:
    """Return the seconds of `30s`, `500ms`, `0.005s`, `1m` or `1h`; raise a pydantic error for anything else."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("invalid_duration", "should be a number with a unit (ms, s, m or h), such as 30s or 500ms")
    seconds = float(match[1]) * _UNIT_SECONDS[match[2]]
    if not SHORTEST_DURATION_SECONDS <= seconds <= LONGEST_DURATION_SECONDS:
        raise PydanticCustomError("invalid_duration", "should be between 1ms and 24h")
    return seconds


def parse_duration_or_zero(value: object) -> float:
    """Return the seconds of a duration, or zero for `0s`."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return 0.0 if match is not None and float(match[1]) == 0 else parse_duration(value)


def _parse_ip_address(value: object) -> object:
    if isinstance(value, str):
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise PydanticCustomError(
                "invalid_address", "should be an IP address: 0.0.0.0 for every interface, 127.0.0.1 for this machine only"
            ) from None
    return value


def _parse_cidr(value: object) -> object:
    if isinstance(value, str):
        try:
            ipaddress.ip_network(value)
        except ValueError:
            raise PydanticCustomError("invalid_cidr", "should be an address range such as 10.0.0.0/8") from None
    return value


def _parse_host_pattern(value: object) -> object:
    if isinstance(value, str):
        value = value.lower()
        if not _HOST_PATTERN.fullmatch(value):
            raise PydanticCustomError(
                "invalid_host", "should be a host name or an IP address without a port, or `*.` and a name for all below it"
            )
    return value


def _parse_file_path(value: object) -> object:
    if isinstance(value, str) and not value.startswith("/"):
        raise PydanticCustomError("invalid_path", "should be an absolute path, such as /etc/plano/tls/tls.crt")
    return value


class _SecretSchema:
    """Turns a string into a Secret as soon as it is validated, so that nothing prints it afterwards."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        redacted = core_schema.plain_serializer_function_ser_schema(str)
        return core_schema.no_info_after_validator_function(
            Secret, core_schema.str_schema(min_length=1), serialization=redacted
        )


Duration = Annotated[float, BeforeValidator(parse_duration), TypeName("duration")]
"""Seconds, written `30s`, `500ms`, `0.005s`, `1m`, `1h`."""
DurationOrZero = Annotated[float, BeforeValidator(parse_duration_or_zero), TypeName("duration")]
"""A duration, or `0s` for none."""
Port = Annotated[int, Field(ge=1, le=65535)]
Text = Annotated[str, Field(min_length=1)]
IpAddress = Annotated[str, BeforeValidator(_parse_ip_address), TypeName("IP address")]
HostPattern = Annotated[str, BeforeValidator(_parse_host_pattern), TypeName("host")]
FilePath = Annotated[str, BeforeValidator(_parse_file_path), TypeName("path")]
Cidr = Annotated[str, BeforeValidator(_parse_cidr), TypeName("address range")]
SecretText = Annotated[Secret, _SecretSchema, TypeName("secret text")]
