"""As many open files as the system permits, in a process of its own: limits cannot be taken back."""

import subprocess
import sys

RAISE = """
import resource
from control_plane.supervisor.environment import raise_file_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))
print(raise_file_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_soft_limit_becomes_the_hard_one() -> None:
    done = subprocess.run([sys.executable, "-c", RAISE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["128", "128", "128"]
