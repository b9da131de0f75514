"""The load generator: wrk, which keeps every connection busy with one request and takes a tenth of a proxy's CPU for it."""

import json
import os
import resource
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VARIABLE: Final = "PLANO_WRK"

# `latency` counts microseconds; a status above 399 is an error of its own kind.
_SCRIPT: Final = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
file:close()
wrk.headers["content-type"] = "application/json"
done = function(summary, latency, requests)
  local errors = 0
  for _, count in pairs(summary.errors) do errors = errors + count end
  local out = '{{"requests":%d,"seconds":%f,"errors":%d,"p50_ms":%f,"p99_ms":%f}}'
  io.stderr:write(out:format(summary.requests, summary.duration / 1e6, errors,
                             latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


class NoLoadGenerator(Exception):
    """Nothing can send the load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one run of the load generator saw."""

    requests: int
    seconds: float
    errors: int
    """Statuses above 399, refused and lost connections, and timeouts."""
    p50_ms: float
    p99_ms: float
    generator_cpu_us: float
    """Of the load generator itself, per request."""


def find_wrk(env: Mapping[str, str]) -> str:
    """Return the load generator: what PLANO_WRK names, or the `wrk` of the search path. Raises NoLoadGenerator."""
    named = env.get(VARIABLE) or "wrk"
    found = shutil.which(named, path=env.get("PATH", os.defpath))
    if found is None:
        raise NoLoadGenerator(
            f"the benchmark sends its load with wrk, and there is no executable {named!r}: "
            f"install it (Debian and Ubuntu: apt-get install wrk; macOS: brew install wrk), or set {VARIABLE} to one"
        )
    return found


def send_load(wrk: str, url: str, body: bytes, *, connections: int, seconds: float, folder: Path) -> Result:
    """Post the same body to a URL over and over for whole seconds, at least 1."""
    payload, script = folder / "body.json", folder / "load.lua"
    payload.write_bytes(body)
    script.write_text(_SCRIPT.format(body=payload))
    # One thread: it can keep two cores of proxies busy, and a thread that waits costs nothing.
    command = [wrk, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(script), url]
    before = _cpu_of_children()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    return read_result(done.stderr, done.returncode, _cpu_of_children() - before)


def read_result(printed: bytes, code: int, cpu_seconds: float) -> Result:
    """Read what the script of a run printed. Raises RuntimeError where wrk had nothing to measure."""
    try:
        summary = json.loads(printed)
    except ValueError:
        raise RuntimeError(f"wrk ended with {code}: {printed.decode(errors='replace').strip()}") from None
    if not summary["requests"]:
        raise RuntimeError(f"wrk got no answer; {summary['errors']} errors")
    return Result(**summary, generator_cpu_us=1e6 * cpu_seconds / summary["requests"])


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
