"""OpenTelemetry's variables, beside the file and without it."""

from typing import Any

import pytest

from control_plane.config.model import Tracing
from control_plane.config.otel import read_otel

COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"
SAMPLED = {"OTEL_TRACES_SAMPLER": "always_on"}


def read(env: dict[str, str], **written: Any) -> Tracing:
    tracing, findings = read_otel(Tracing.model_validate(written) if written else None, env)
    assert tracing is not None
    assert not findings, findings
    return tracing


@pytest.mark.parametrize(
    ("env", "percent"),
    [
        ({"OTEL_TRACES_SAMPLER": "always_on"}, 100),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_on"}, 100),
        ({"OTEL_TRACES_SAMPLER": "traceidratio"}, 100),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}, 25),
    ],
)
def test_a_sampler_says_what_is_traced(env: dict[str, str], percent: float) -> None:
    assert read(env).random_sampling == percent


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317"},
        {"OTEL_TRACES_SAMPLER": "always_off"},
        {"OTEL_TRACES_SAMPLER": ""},
        SAMPLED | {"OTEL_SDK_DISABLED": "TRUE"},
        SAMPLED | {"OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_is_traced_unless_asked_for(env: dict[str, str]) -> None:
    assert read_otel(None, env) == (None, ())


def test_what_is_disabled_is_not_traced_whatever_the_file_says() -> None:
    assert read_otel(Tracing.model_validate({"random_sampling": 100}), {"OTEL_SDK_DISABLED": "true"}) == (None, ())


def test_the_file_comes_first() -> None:
    tracing = read(
        SAMPLED | {COLLECTOR: "http://env:4318", "OTEL_SERVICE_NAME": "env", "OTEL_EXPORTER_OTLP_TIMEOUT": "1000"},
        random_sampling=5,
        opentracing_grpc_endpoint="http://file:4317",
        service_name="file",
        export_timeout="3s",
    )
    assert (tracing.random_sampling, tracing.opentracing_grpc_endpoint, tracing.otlp_http_endpoint) == (
        5,
        "http://file:4317",
        None,
    )
    assert (tracing.service_name, tracing.export_timeout) == ("file", 3.0)


@pytest.mark.parametrize(
    ("env", "grpc", "http"),
    [
        ({}, "http://localhost:4317", None),
        ({"OTEL_TRACING_GRPC_ENDPOINT": "http://plano:4317"}, "http://plano:4317", None),
        ({COLLECTOR: "http://c:4317"}, "http://c:4317", None),
        ({COLLECTOR: "http://c:4318"}, None, "http://c:4318/v1/traces"),
        ({COLLECTOR: "https://c/otlp/"}, None, "https://c/otlp/v1/traces"),
        ({COLLECTOR: "https://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "https://c", None),
        ({COLLECTOR: "http://c:4317", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}, None, "http://c:4317/v1/traces"),
        ({COLLECTOR: "http://c:4317", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:4318/mine"}, None, "http://t:4318/mine"),
    ],
)
def test_where_spans_go(env: dict[str, str], grpc: str | None, http: str | None) -> None:
    tracing = read(SAMPLED | env)
    assert (tracing.opentracing_grpc_endpoint, tracing.otlp_http_endpoint) == (grpc, http)


def test_what_else_is_read() -> None:
    tracing = read(
        SAMPLED
        | {
            "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20abc, x-tenant = a=b",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=shop,deployment.environment.name=test",
            "OTEL_BSP_MAX_QUEUE_SIZE": "10",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "5",
            "OTEL_BSP_SCHEDULE_DELAY": "250",
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "1500",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca.pem",
        }
    )
    assert {name: value.reveal() for name, value in tracing.headers.items()} == {
        "authorization": "Bearer abc",
        "x-tenant": "a=b",
    }
    assert (tracing.service_name, tracing.resource_attributes) == ("shop", {"deployment.environment.name": "test"})
    assert (tracing.queue_size, tracing.batch_size, tracing.export_interval) == (10, 5, 0.25)
    assert (tracing.export_timeout, tracing.ca_path) == (1.5, "/ca.pem")


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"OTEL_TRACES_SAMPLER": "jaeger_remote"}, "OTEL_TRACES_SAMPLER should be"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"}, "OTEL_TRACES_SAMPLER_ARG should be a number"),
        (SAMPLED | {COLLECTOR: "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT should begin with http://"),
        (
            SAMPLED | {COLLECTOR: "http://c/v1/traces", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_ENDPOINT should have no path",
        ),
        (
            SAMPLED | {COLLECTOR: "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
            "OTEL_EXPORTER_OTLP_PROTOCOL should be grpc",
        ),
        (SAMPLED | {"OTEL_TRACING_GRPC_ENDPOINT": "c"}, "OTEL_TRACING_GRPC_ENDPOINT should begin"),
        (SAMPLED | {"OTEL_BSP_MAX_QUEUE_SIZE": "many"}, "OTEL_BSP_MAX_QUEUE_SIZE should be a number"),
        (SAMPLED | {"OTEL_EXPORTER_OTLP_HEADERS": "sk-secret"}, "OTEL_EXPORTER_OTLP_HEADERS should be `name=value` pairs"),
    ],
)
def test_what_cannot_be_is_an_error_that_names_the_variable(env: dict[str, str], message: str) -> None:
    _, findings = read_otel(None, env)
    (finding,) = findings
    assert finding.message.startswith(message)
    assert not finding.is_warning
    assert "sk-secret" not in finding.message


@pytest.mark.parametrize(
    ("env", "written"),
    [
        (SAMPLED | {"OTEL_PROPAGATORS": "b3"}, None),
        (SAMPLED | {"OTEL_TRACES_EXPORTER": "zipkin"}, None),
        ({}, {"service_name": "shop"}),
    ],
)
def test_what_has_no_effect_is_a_warning(env: dict[str, str], written: dict[str, Any] | None) -> None:
    _, findings = read_otel(Tracing.model_validate(written) if written else None, env)
    assert [finding.is_warning for finding in findings] == [True]
