"""What children inherit: no secret but those that they need, and as many open files as the system permits."""

import subprocess
import sys

import pytest

from control_plane.supervisor.environment import connections_for, without_secrets

RAISE = """
import resource
from control_plane.supervisor.environment import raise_file_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))
print(raise_file_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_soft_limit_becomes_the_hard_one() -> None:
    done = subprocess.run([sys.executable, "-c", RAISE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["128", "128", "128"]


@pytest.mark.parametrize(("open_files", "connections"), [(64, 16), (512, 192), (1024, 448), (1 << 20, 50_000)])
def test_connections_leave_files_for_upstreams_and_for_the_rest(open_files: int, connections: int) -> None:
    assert connections_for(open_files) == connections


def test_aws_credentials_are_for_who_signs_with_them() -> None:
    credentials = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_PROFILE": "c"}
    env = {**credentials, "OPENAI_API_KEY": "sk", "HOME": "/root"}
    assert without_secrets(env) == {"HOME": "/root"}
    assert without_secrets(env, signs_for_aws=True) == {**credentials, "HOME": "/root"}
