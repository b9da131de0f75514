"""What the supervisor's children inherit: environment variables that are known not to be secrets, and the open-file limit."""

import resource
from collections.abc import Mapping
from typing import Final

_NAMES: Final = frozenset(
    {
        *("HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "TEMP", "TMP", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV"),
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "GLIBC_TUNABLES", "SSL_CERT_DIR", "SSL_CERT_FILE"),
    }
)
_PREFIXES: Final = ("LC_", "PYTHON", "GRPC_", "MALLOC_", "COV_", "COVERAGE_")
_AWS: Final = "AWS_"
_OTHER_FILES: Final = 128
_FEWEST_CONNECTIONS: Final = 16
_MOST_CONNECTIONS: Final = 50_000
_MOST_FILES: Final = 1 << 20
"""Where there is no hard limit, macOS refuses more than its kernel allows."""


def connections_for(open_files: int) -> int:
    """Return the maximum of client connections: each may need an upstream connection, and some files are reserved."""
    return max(_FEWEST_CONNECTIONS, min(_MOST_CONNECTIONS, (open_files - _OTHER_FILES) // 2))


def without_secrets(env: Mapping[str, str], *, signs_for_aws: bool = False) -> dict[str, str]:
    """Return the variables that Envoy and ext_proc may have: anything else may be a key that only the control plane needs.

    What signs for AWS finds its credentials by the variables that AWS' own tools have.
    """
    allowed = (*_PREFIXES, _AWS) if signs_for_aws else _PREFIXES
    return {name: value for name, value in env.items() if name in _NAMES or name.startswith(allowed)}


def raise_file_limit() -> int:
    """Raise the open-file limit of this process and its children to the hard limit; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
