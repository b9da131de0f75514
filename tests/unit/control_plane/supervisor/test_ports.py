"""A port that is taken is found before anything starts, even when its holder would share it."""

import socket

import pytest

from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.ports import PortClaim, check_ports


@pytest.fixture
def taken() -> "socket.socket":
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as Envoy does
    holder.bind(("127.0.0.1", 0))
    holder.listen()
    return holder


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_is_named_with_its_owner(taken: socket.socket, address: str) -> None:
    port = taken.getsockname()[1]
    with taken, pytest.raises(CannotStart, match=rf'port {port} \(listener "travel", on {address}\): address already in use'):
        check_ports([PortClaim('listener "travel"', address, port)])


def test_all_taken_ports_are_named(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with taken, pytest.raises(CannotStart) as caught:
        check_ports([PortClaim("a", "127.0.0.1", port), PortClaim("b", "127.0.0.1", port)])
    assert len(str(caught.value).splitlines()) == 2


def test_free_ports_stay_free(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    taken.close()
    for _ in range(2):
        check_ports([PortClaim("a", "127.0.0.1", port), PortClaim("b", "::1", port)])


def test_an_address_that_is_not_ours(taken: socket.socket) -> None:
    with taken, pytest.raises(CannotStart, match=r"192\.0\.2\.1"):
        check_ports([PortClaim("a", "192.0.2.1", 8001)])
