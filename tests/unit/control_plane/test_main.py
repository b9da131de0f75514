"""The control plane hands out keys to whoever reaches it: it listens on a Unix socket, or not at all."""

import pytest
from click.testing import CliRunner

from control_plane.__main__ import main

OTHERS = ("--config=x", "--egress-address=unix:///e", "--egress-url=unix:///e", "--access-log=/dev/stdout")


@pytest.mark.parametrize("address", ["127.0.0.1:15010", "0.0.0.0:15010", "control-plane:15010", "unix:relative"])
def test_no_address_but_a_unix_socket_is_taken(address: str) -> None:
    done = CliRunner().invoke(main, ["serve", f"--xds={address}", *OTHERS])
    assert done.exit_code == 2
    assert "whoever reaches this address can read all provider keys" in done.output


@pytest.mark.parametrize("address", ["0.0.0.0:15001", "10.0.0.7:15001", "envoy:15001", "[::]:15001"])
def test_providers_are_called_from_this_machine_alone(address: str) -> None:
    result = CliRunner().invoke(main, ["serve", "--xds=unix:///x", *OTHERS, f"--egress-address={address}"])
    assert result.exit_code == 2
    assert "loopback" in result.output
