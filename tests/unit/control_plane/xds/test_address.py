import pytest

from control_plane.xds import api
from control_plane.xds.address import is_ip, parse


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:80", "::1", 80), ("ext-proc:50051", "ext-proc", 50051)],
)
def test_tcp(text: str, host: str, port: int) -> None:
    assert parse(text) == api.core.Address(socket_address=api.core.SocketAddress(address=host, port_value=port))


def test_unix() -> None:
    assert parse("unix:///run/x.sock") == api.core.Address(pipe=api.core.Pipe(path="/run/x.sock"))


@pytest.mark.parametrize(("host", "expected"), [("10.0.0.1", True), ("::1", True), ("localhost", False), ("10.0.0", False)])
def test_is_ip(host: str, expected: bool) -> None:
    assert is_ip(host) is expected
