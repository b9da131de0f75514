"""Completes the configuration's `tracing` by OpenTelemetry's environment variables. The file has precedence.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from control_plane.config.check.finding import Finding, warning
from control_plane.config.check.urls import collector_defect, url_defect
from control_plane.config.model import Tracing
from control_plane.config.source.paths import Path
from control_plane.ir.secret import Secret

DEFAULT_ENDPOINT: Final = "http://localhost:4317"

_T = TypeVar("_T")

_PATH: Final[Path] = ("tracing",)
_SAMPLED: Final = {"always_on": 100.0, "always_off": 0.0}
_NO_CONTENT: Final = ("no_content", "false", "0")
_PROTOCOLS: Final = ("grpc", "http/protobuf")


@dataclass(frozen=True, slots=True)
class _Refused(Exception):
    """A variable has an invalid value."""

    message: str


def read_otel(tracing: Tracing | None, env: Mapping[str, str]) -> tuple[Tracing | None, tuple[Finding, ...]]:
    """Complete the configuration's tracing by the environment; None if nothing is sampled."""
    # As in OpenTelemetry, an empty variable counts as unset.
    env = {name: value.strip() for name, value in env.items() if name.startswith("OTEL_") and value.strip()}
    findings = list(_warnings(env))
    if env.get("OTEL_SDK_DISABLED", "").lower() == "true" or env.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return None, tuple(findings)
    written = tracing or Tracing.model_validate({})
    sampling = _read(_sampling, env, findings) if written.random_sampling is None else written.random_sampling
    if not sampling:
        return None, (*findings, *_unsampled(tracing, sampling))
    update: dict[str, Any] = {"random_sampling": sampling}
    for reader in (_endpoint, _headers, _resource, _batches):
        update |= _read(partial(reader, written), env, findings) or {}
    return written.model_copy(update=update), tuple(findings)


def wants_latest_names(env: Mapping[str, str]) -> bool:
    """Whether the latest names of the conventions for generative AI are wanted."""
    wanted = env.get("OTEL_SEMCONV_STABILITY_OPT_IN", "").split(",")
    return "gen_ai_latest_experimental" in (name.strip() for name in wanted)


def _read(reader: Callable[[Mapping[str, str]], _T], env: Mapping[str, str], findings: list[Finding]) -> _T | None:
    try:
        return reader(env)
    except _Refused as refused:
        findings.append(Finding(_PATH, "bad-environment", refused.message))
        return None


def _unsampled(tracing: Tracing | None, sampling: float | None) -> Iterator[Finding]:
    if tracing is not None and sampling is None:
        message = "has no effect: without random_sampling (or OTEL_TRACES_SAMPLER) no request is traced"
        yield warning(_PATH, "no-effect", message)


def _warnings(env: Mapping[str, str]) -> Iterator[Finding]:
    if "tracecontext" not in env.get("OTEL_PROPAGATORS", "tracecontext").split(","):
        yield warning(_PATH, "no-effect", "OTEL_PROPAGATORS has no effect: traces are carried on by `traceparent` alone")
    exporter = env.get("OTEL_TRACES_EXPORTER", "otlp")
    if exporter not in ("otlp", "none"):
        yield warning(_PATH, "no-effect", "OTEL_TRACES_EXPORTER has no effect: spans are exported as `otlp`, or `none`")


def _sampling(env: Mapping[str, str]) -> float | None:
    sampler = env.get("OTEL_TRACES_SAMPLER")
    if sampler is None:
        return None
    name = sampler.removeprefix("parentbased_")
    if name in _SAMPLED:
        return _SAMPLED[name]
    if name != "traceidratio":
        raise _Refused(
            "OTEL_TRACES_SAMPLER should be always_on, always_off, traceidratio, or one of these after `parentbased_`"
        )
    return 100 * _number(env, "OTEL_TRACES_SAMPLER_ARG", 1.0, most=1.0)


def _endpoint(written: Tracing, env: Mapping[str, str]) -> dict[str, Any]:
    if written.opentracing_grpc_endpoint or written.otlp_http_endpoint:
        return {}
    name, endpoint = _first(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    if endpoint is None:
        endpoint = env.get("OTEL_TRACING_GRPC_ENDPOINT", DEFAULT_ENDPOINT)
        if defect := collector_defect(endpoint):
            raise _Refused(f"OTEL_TRACING_GRPC_ENDPOINT {defect}")
        return {"opentracing_grpc_endpoint": endpoint}
    of_protocol, protocol = _first(env, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol = protocol or ("grpc" if endpoint.endswith(":4317") else "http/protobuf")
    if protocol not in _PROTOCOLS:
        raise _Refused(f"{of_protocol} should be {' or '.join(_PROTOCOLS)}")
    if defect := (collector_defect if protocol == "grpc" else url_defect)(endpoint):
        raise _Refused(f"{name} {defect}")
    if protocol == "grpc":
        return {"opentracing_grpc_endpoint": endpoint}
    # A variable for traces only has the complete URL.
    return {"otlp_http_endpoint": endpoint if "TRACES" in name else f"{endpoint.rstrip('/')}/v1/traces"}


def _headers(written: Tracing, env: Mapping[str, str]) -> dict[str, Any]:
    name, given = _first(env, "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
    if given is None or written.headers:
        return {}
    return {"headers": {key.lower(): Secret(value) for key, value in _pairs(name, given).items()}}


def _resource(written: Tracing, env: Mapping[str, str]) -> dict[str, Any]:
    given = _pairs("OTEL_RESOURCE_ATTRIBUTES", env.get("OTEL_RESOURCE_ATTRIBUTES", ""))
    service = written.service_name or env.get("OTEL_SERVICE_NAME") or given.pop("service.name", "plano")
    return {"service_name": service, "resource_attributes": given | written.resource_attributes}


def _batches(written: Tracing, env: Mapping[str, str]) -> dict[str, Any]:
    timeout, _ = _first(env, "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
    _, certificate = _first(env, "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE")
    captured = env.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "no_content").lower()
    written_captures = written.capture_message_content
    return {
        "capture_message_content": captured not in _NO_CONTENT if written_captures is None else written_captures,
        "queue_size": written.queue_size or int(_number(env, "OTEL_BSP_MAX_QUEUE_SIZE", 2048, least=1, most=1e6)),
        "batch_size": written.batch_size or int(_number(env, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, least=1, most=65_536)),
        "export_interval": written.export_interval or _number(env, "OTEL_BSP_SCHEDULE_DELAY", 5000, least=1, most=6e5) / 1000,
        "export_timeout": written.export_timeout or _number(env, timeout, 10_000, least=1, most=6e5) / 1000,
        "ca_path": written.ca_path or certificate,
    }


def _number(env: Mapping[str, str], name: str, default: float, *, least: float = 0.0, most: float) -> float:
    given = env.get(name)
    if given is None:
        return default
    try:
        number = float(given)
    except ValueError:
        number = -1.0
    if not least <= number <= most:
        raise _Refused(f"{name} should be a number from {least:g} to {most:g}")
    return number


def _first(env: Mapping[str, str], *names: str) -> tuple[str, str | None]:
    """Return the first of these variables that is set, and its value."""
    return next(((name, env[name]) for name in names if name in env), (names[-1], None))


def _pairs(name: str, given: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in given.split(",") if part.strip()]
    if any(not key.strip() or not equals for key, equals, _ in pairs):
        raise _Refused(f"{name} should be `name=value` pairs with commas between them")
    return {unquote(key.strip()): unquote(value.strip()) for key, _, value in pairs}
