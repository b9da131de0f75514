"""How Envoy reaches upstreams: by name on either family, over TLS that is verified, and without cutting streams."""

import asyncio
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from control_plane import ir
from tests.kit import certificates
from tests.kit.decider import to_route
from tests.kit.lab import Change, lab
from tests.kit.stub_upstream import Answer, Received, always, serving

pytestmark = pytest.mark.xdist_group("envoy-upstreams")


def agent_at(host: str, port: int, **changes: object) -> Change:
    """Send the agent's requests elsewhere."""

    def change(gateway: ir.Gateway) -> ir.Gateway:
        agent, *others = gateway.clusters
        moved = replace(agent, endpoints=(ir.Endpoint(host=host, port=port),), **changes)  # type: ignore[arg-type]
        return replace(gateway, clusters=(moved, *others))

    return change


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "host", ["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here"))]
)
async def test_localhost_is_found_whichever_family_it_listens_on(host: str) -> None:
    async with serving(always(Answer(body=b'"found"')), host) as upstream:
        change = agent_at("localhost", upstream.port)
        async with lab(lambda _asked: to_route("agent/weather"), always(Answer()), change=change) as made:
            answers = [await made.agents.post("/", json={}) for _ in range(4)]
            assert [answer.text for answer in answers] == ['"found"'] * 4
            assert upstream.received[0].headers["host"] == "upstream.example"


async def test_a_stream_outlasts_the_time_to_its_first_byte() -> None:
    async def trickle(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        for _ in range(6):
            writer.write(b"data: x\n\n")
            await writer.drain()
            await asyncio.sleep(0.1)

    def impatient(gateway: ir.Gateway) -> ir.Gateway:
        agents, models = gateway.listeners
        route = replace(agents.routes[0], response_timeout_seconds=0.2, idle_timeout_seconds=5)
        return replace(gateway, listeners=(replace(agents, routes=(route,)), models))

    async with lab(lambda _asked: to_route("agent/weather"), trickle, change=impatient) as made:
        answer = await made.agents.post("/", json={})
    assert answer.text == "data: x\n\n" * 6


async def test_a_path_prefix_goes_before_the_path() -> None:
    def prefixed(gateway: ir.Gateway) -> ir.Gateway:
        agents, models = gateway.listeners
        return replace(gateway, listeners=(replace(agents, routes=(replace(agents.routes[0], path_prefix="/base"),)), models))

    async with lab(lambda _asked: to_route("agent/weather"), always(Answer()), change=prefixed) as made:
        for path in ("/v1/chat/completions?a=b", "/a//b%2Fc", "/"):
            await made.agents.post(path, json={})
        assert [request.path for request in made.upstream.received] == [
            "/base/v1/chat/completions?a=b",
            "/base/a//b%2Fc",
            "/base/",
        ]


@pytest.mark.parametrize(("sni", "status"), [("upstream.example", 200), ("impostor.example", 503)])
async def test_an_upstream_must_prove_its_name(tmp_path: Path, sni: str, status: int) -> None:
    files = certificates.issue(tmp_path, "upstream.example")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    tls.set_alpn_protocols(["http/1.1"])
    async with serving(always(Answer()), tls=tls) as upstream:
        change = agent_at("127.0.0.1", upstream.port, tls=ir.UpstreamTls(sni=sni, ca_path=str(files.ca)))
        async with lab(lambda _asked: to_route("agent/weather"), always(Answer()), change=change) as made:
            answer = await made.agents.post("/", json={})
    assert answer.status_code == status
    assert len(upstream.received) == (1 if status == 200 else 0)
