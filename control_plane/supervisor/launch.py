"""From a configuration and a run dir to what is run: three command lines, the ports they take, what listeners serve. Pure."""

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from control_plane.config.model import Limits, PlanoConfig
from control_plane.gateway import Runtime
from control_plane.ir import Gateway, Listener
from control_plane.reading import Reading, served_names
from control_plane.supervisor.bootstrap import write_bootstrap
from control_plane.supervisor.child import ChildSpec
from control_plane.supervisor.environment import connections_for, without_secrets
from control_plane.supervisor.instance import ListenerView, reachable_url
from control_plane.supervisor.log_rotation import LogLimits
from control_plane.supervisor.ports import PortClaim
from control_plane.supervisor.request import UpRequest, available_cpus
from control_plane.supervisor.run_dir import RunDir
from control_plane.supervisor.supervisor import Launch
from process_log import FILE_VARIABLE

LOOPBACK = "127.0.0.1"


def build_runtime(run_dir: RunDir, *, open_files: int) -> Runtime:
    """Say where internal traffic and the access log go, and how many connections may be open."""
    egress = f"unix://{run_dir.egress_socket}"
    return Runtime(
        egress_address=egress,
        egress_url=egress,
        access_log_path=str(run_dir.log("access")),
        embedder_address=f"unix://{run_dir.embedder_socket}",
        max_connections=connections_for(open_files),
    )


def build_launch(
    request: UpRequest, reading: Reading, run_dir: RunDir, runtime: Runtime, *, envoy: Path, env: Mapping[str, str]
) -> Launch:
    """Put together everything that one instance consists of."""
    overrides = reading.config.overrides
    return Launch(
        control_plane=_control_plane(request, reading.config, run_dir, runtime, env),
        ext_proc=_ext_proc(request, reading.config, run_dir, env),
        envoy=_envoy(run_dir, envoy, env),
        write_bootstrap=partial(
            write_bootstrap,
            run_dir,
            reading.gateway.limits,
            workers=request.workers,
            stats=f"{LOOPBACK}:{overrides.admin_port}",
            max_memory_bytes=overrides.limits.max_memory_bytes,
        ),
        xds_socket=run_dir.xds_socket,
        config_file=str(request.config_file),
        sockets=str(run_dir.sockets),
        instance_file=run_dir.instance,
        status_file=run_dir.status,
        admin_socket=str(run_dir.admin_socket),
        stats_url=f"http://{LOOPBACK}:{overrides.admin_port}/stats/prometheus",
        metrics_url=f"http://{LOOPBACK}:{overrides.metrics_port}/metrics",
        log_limits=_log_limits(overrides.limits),
        listeners=tuple(_view(listener, reading.gateway) for listener in reading.gateway.listeners),
    )


def port_claims(reading: Reading) -> Iterator[PortClaim]:
    """List every TCP port that the gateway will listen on."""
    for listener in reading.gateway.listeners:
        yield PortClaim(f'listener "{listener.name}"', listener.address, listener.port)
    overrides = reading.config.overrides
    yield PortClaim("Envoy's statistics, overrides.admin_port", LOOPBACK, overrides.admin_port)
    yield PortClaim("metrics, overrides.metrics_port", LOOPBACK, overrides.metrics_port)
    yield PortClaim(
        "the control plane's metrics, overrides.control_plane_metrics_port", LOOPBACK, overrides.control_plane_metrics_port
    )


def _log_limits(limits: Limits) -> LogLimits:
    return LogLimits(max_bytes=limits.log_max_bytes, max_age_seconds=limits.log_max_age, kept=limits.log_files)


def _control_plane(
    request: UpRequest, config: PlanoConfig, run_dir: RunDir, runtime: Runtime, env: Mapping[str, str]
) -> ChildSpec:
    flags = {
        "--config": str(request.config_file),
        "--xds": f"unix://{run_dir.xds_socket}",
        "--egress-address": runtime.egress_address,
        "--egress-url": runtime.egress_url,
        "--access-log": runtime.access_log_path,
        "--embedder": runtime.embedder_address,
        "--max-connections": str(runtime.max_connections),
        "--status": str(run_dir.status),
        "--metrics": f"{LOOPBACK}:{config.overrides.control_plane_metrics_port}",
    }
    argv = (sys.executable, "-m", "control_plane", "serve", *_pairs(flags))
    # The only one that needs the keys that the configuration names.
    log = run_dir.log("control_plane")
    return ChildSpec(name="control_plane", argv=argv, log=log, environment={**env, **_python(log)}, grace_seconds=5)


def _ext_proc(request: UpRequest, config: PlanoConfig, run_dir: RunDir, env: Mapping[str, str]) -> ChildSpec:
    flags = {
        "--xds": f"unix://{run_dir.xds_socket}",
        "--listen": f"unix://{run_dir.ext_proc_socket('{worker}')}",
        "--workers": str(request.workers),
        "--metrics": f"{LOOPBACK}:{config.overrides.metrics_port}",
        "--embedder": f"unix://{run_dir.embedder_socket}",
        "--grace": "5",  # Envoy, drained, is gone before
    }
    argv = (sys.executable, "-m", "ext_proc", *_pairs(flags))
    log = run_dir.log("ext_proc")
    environment = without_secrets(env) | _python(log)
    return ChildSpec(name="ext_proc", argv=argv, log=log, environment=environment, grace_seconds=10, is_outlived=True)


def _envoy(run_dir: RunDir, binary: Path, env: Mapping[str, str]) -> ChildSpec:
    argv = (
        str(binary),
        "--config-path",
        str(run_dir.bootstrap),
        "--disable-hot-restart",
        "--file-flush-interval-msec",  # else the access log lags by ten seconds
        "1000",
        "--concurrency",
        str(_envoy_threads()),
    )
    return ChildSpec(name="envoy", argv=argv, log=run_dir.log("envoy"), environment=without_secrets(env), grace_seconds=5)


def _envoy_threads() -> int:
    """Leave half of the machine to ext_proc, which does more per request.

    With a thread for each CPU, both spend their time waking each other up: on two CPUs one thread carries up to three times as
    many requests.
    """
    return max(1, available_cpus() // 2)


def _python(log: Path) -> dict[str, str]:
    """Environment of our own programs: modules are ours, not files of the current folder; a rotated log is followed."""
    return {"PYTHONSAFEPATH": "1", FILE_VARIABLE: str(log)}


def _pairs(flags: dict[str, str]) -> Iterator[str]:
    for flag, value in flags.items():
        yield from (flag, value)


def _view(listener: Listener, gateway: Gateway) -> ListenerView:
    return ListenerView(
        name=listener.name,
        kind=listener.kind,
        url=reachable_url(listener.address, listener.port),
        serves=served_names(listener, gateway),
    )
