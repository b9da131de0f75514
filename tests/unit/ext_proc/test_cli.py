"""What ext_proc may be started with."""

import pytest
from click.testing import CliRunner

from ext_proc.cli import main


@pytest.mark.parametrize("address", ["0.0.0.0:50051", "ext-proc:50051", "[::]:50051", "10.0.0.7:50051"])
def test_workers_listen_where_only_this_machine_reaches_them(address: str) -> None:
    result = CliRunner().invoke(main, ["--xds=unix:///x", f"--listen={address}"])
    assert result.exit_code == 2
    assert "loopback" in result.output
