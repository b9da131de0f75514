from dataclasses import replace

from control_plane.ir import names
from control_plane.xds import api
from control_plane.xds.http_filters.order import build_http_filters
from control_plane.xds.listener.listener import build_egress_listener, build_listener
from protos.contract.stages import LISTENER_METADATA, REQUEST_ATTRIBUTES, STAGE_DECIDE, STAGE_DECIDE_BODY, STAGE_METADATA
from tests.kit import gateways

GATEWAY = gateways.gateway()
AGENTS = replace(GATEWAY.listeners[0], shows_headers=False)


def manager(listener: api.listener.Listener) -> api.hcm.HttpConnectionManager:
    packed = listener.filter_chains[0].filters[-1].typed_config
    assert packed is not None
    return api.hcm.HttpConnectionManager.parse(packed.value)


def ext_proc(listener: api.listener.Listener) -> api.ext_proc.ExternalProcessor:
    packed = next(entry.typed_config for entry in manager(listener).http_filters if entry.name == "plano.decide")
    assert packed is not None
    return api.ext_proc.ExternalProcessor.parse(packed.value)


def metadata(config: api.ext_proc.ExternalProcessor) -> dict[str, str]:
    assert config.grpc_service is not None
    return {entry.key: entry.value for entry in config.grpc_service.initial_metadata}


USAGE = ("plano.usage.messages", "plano.usage.responses", "plano.usage.chat_completions")


def stage(config: api.ext_proc.ExternalProcessor) -> str:
    return metadata(config)[STAGE_METADATA]


DECOMPRESSORS = [f"envoy.filters.http.decompressor.{encoding}" for encoding in ("gzip", "brotli", "zstd")]


def test_a_request_waits_for_its_decision_before_it_is_routed() -> None:
    assert [http_filter.name for http_filter in build_http_filters(AGENTS, GATEWAY)] == [
        "envoy.filters.http.health_check",
        "plano.client_bounds",
        *DECOMPRESSORS,
        "plano.decide",
        "envoy.filters.http.buffer",
        "envoy.filters.http.header_mutation",
        *USAGE,
        "envoy.filters.http.router",
    ]


def test_decisions_that_see_the_headers_change_them_themselves() -> None:
    shown = replace(AGENTS, shows_headers=True)
    assert [http_filter.name for http_filter in build_http_filters(shown, GATEWAY)] == [
        "envoy.filters.http.health_check",
        "plano.client_bounds",
        *DECOMPRESSORS,
        "plano.decide",
        "envoy.filters.http.buffer",
        "envoy.filters.http.header_mutation",
        *USAGE,
        "envoy.filters.http.router",
    ]
    config = ext_proc(build_listener(shown, GATEWAY))
    assert stage(config) == STAGE_DECIDE
    assert not config.request_attributes


def test_only_internal_addresses_are_trusted() -> None:
    built = manager(build_listener(AGENTS, GATEWAY))
    assert built.use_remote_address is True
    assert built.internal_address_config is not None
    ranges = [(entry.address_prefix, entry.prefix_len) for entry in built.internal_address_config.cidr_ranges]
    assert ranges == [("127.0.0.0", 8), ("::1", 128)]
    assert not built.internal_address_config.unix_sockets


def test_a_decision_that_takes_long_is_not_silence() -> None:
    slow = manager(build_listener(replace(AGENTS, decision_timeout_seconds=900), GATEWAY))
    assert slow.stream_idle_timeout == api.duration(930)
    assert manager(build_listener(AGENTS, GATEWAY)).stream_idle_timeout == api.duration(60)


def test_ext_proc_is_told_who_asks_and_given_its_time() -> None:
    config = ext_proc(build_listener(replace(AGENTS, decision_timeout_seconds=12), GATEWAY))
    assert config.message_timeout == api.duration(12)
    assert not config.failure_mode_allow
    assert metadata(config)[LISTENER_METADATA] == "agents"
    assert stage(config) == STAGE_DECIDE_BODY
    assert config.request_attributes == list(REQUEST_ATTRIBUTES)


def test_the_egress_listener_has_no_ext_proc_and_trusts_its_socket() -> None:
    listener = build_egress_listener(GATEWAY)
    assert listener.name == names.EGRESS_LISTENER
    assert listener.address == api.core.Address(pipe=api.core.Pipe(path="/tmp/egress.sock"))
    built = manager(listener)
    assert [http_filter.name for http_filter in built.http_filters] == ["envoy.filters.http.router"]
    assert built.internal_address_config is not None
    assert built.internal_address_config.unix_sockets
    assert not built.early_header_mutation_extensions


def test_the_access_log_goes_to_a_file_or_to_stdout() -> None:
    def sink(path: str) -> str:
        log, *_ = manager(build_listener(AGENTS, replace(GATEWAY, access_log_path=path))).access_log
        assert log.typed_config is not None
        return log.typed_config.type_url

    assert sink("/dev/stdout") == api.type_url(api.stream_log.StdoutAccessLog)
    assert sink("/var/log/a.log") == api.type_url(api.file_log.FileAccessLog)
