"""Builds the three command lines from a request and a run dir. Pure."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from control_plane.supervisor.child import ChildSpec
from control_plane.supervisor.environment import connections_for, without_secrets
from control_plane.supervisor.ports import LOOPBACK
from control_plane.supervisor.request import UpRequest, available_cpus
from control_plane.supervisor.run_dir import RunDir
from control_plane.supervisor.supervisor import Launch
from process_log import FILE_VARIABLE


def build_launch(request: UpRequest, run_dir: RunDir, *, open_files: int, envoy: Path, env: Mapping[str, str]) -> Launch:
    """Build the launch of one instance."""
    summary = request.summary
    return Launch(
        control_plane=_control_plane(request, run_dir, open_files, env),
        ext_proc=_ext_proc(request, run_dir, env),
        envoy=_envoy(run_dir, envoy, without_secrets(env, signs_for_aws=summary.signs_for_aws)),
        xds_socket=run_dir.xds_socket,
        worker_sockets=tuple(run_dir.ext_proc_socket(worker) for worker in range(request.workers)),
        config_file=str(request.config_file),
        sockets=str(run_dir.sockets),
        instance_file=run_dir.instance,
        status_file=run_dir.status,
        admin_socket=str(run_dir.admin_socket),
        stats_url=f"http://{LOOPBACK}:{summary.admin_port}/stats/prometheus",
        metrics_url=f"http://{LOOPBACK}:{summary.metrics_port}/metrics",
        log_limits=summary.log_limits,
        listeners=summary.listeners,
        healthy_within_seconds=request.timeout_seconds,
    )


def _control_plane(request: UpRequest, run_dir: RunDir, open_files: int, env: Mapping[str, str]) -> ChildSpec:
    egress = f"unix://{run_dir.egress_socket}"
    flags = {
        "--config": str(request.config_file),
        "--xds": f"unix://{run_dir.xds_socket}",
        "--egress-address": egress,
        "--egress-url": egress,
        "--access-log": str(run_dir.log("access")),
        "--embedder": f"unix://{run_dir.embedder_socket}",
        "--max-connections": str(connections_for(open_files)),
        "--status": str(run_dir.status),
        "--metrics": f"{LOOPBACK}:{request.summary.control_plane_metrics_port}",
        "--bootstrap": str(run_dir.bootstrap),
        "--admin": f"unix://{run_dir.admin_socket}",
        "--ext-proc": f"unix://{run_dir.ext_proc_socket('{worker}')}",
        "--workers": str(request.workers),
    }
    argv = (sys.executable, "-m", "control_plane", "serve", *_pairs(flags))
    # Only this process needs the keys that the configuration names.
    log = run_dir.log("control_plane")
    return ChildSpec(name="control_plane", argv=argv, log=log, environment={**env, **_python(log)}, grace_seconds=5)


def _ext_proc(request: UpRequest, run_dir: RunDir, env: Mapping[str, str]) -> ChildSpec:
    flags = {
        "--xds": f"unix://{run_dir.xds_socket}",
        "--listen": f"unix://{run_dir.ext_proc_socket('{worker}')}",
        "--workers": str(request.workers),
        "--metrics": f"{LOOPBACK}:{request.summary.metrics_port}",
        "--embedder": f"unix://{run_dir.embedder_socket}",
        "--grace": "5",  # Envoy is drained and stopped before
    }
    argv = (sys.executable, "-m", "ext_proc", *_pairs(flags))
    log = run_dir.log("ext_proc")
    environment = without_secrets(env) | _python(log)
    return ChildSpec(name="ext_proc", argv=argv, log=log, environment=environment, grace_seconds=10, is_outlived=True)


def _envoy(run_dir: RunDir, binary: Path, environment: Mapping[str, str]) -> ChildSpec:
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
    return ChildSpec(name="envoy", argv=argv, log=run_dir.log("envoy"), environment=dict(environment), grace_seconds=5)


def _envoy_threads() -> int:
    """Use half of the CPUs: ext_proc needs more CPU per request.

    With one thread per CPU, both mostly switch between each other: on two CPUs one thread serves up to three times as
    many requests.
    """
    return max(1, available_cpus() // 2)


def _python(log: Path) -> dict[str, str]:
    """Environment of our own processes: modules are not imported from the current folder, and rotated logs are followed."""
    return {"PYTHONSAFEPATH": "1", FILE_VARIABLE: str(log)}


def _pairs(flags: dict[str, str]) -> Iterator[str]:
    for flag, value in flags.items():
        yield from (flag, value)
