"""Listeners with TLS: both versions of HTTP, a certificate that is renewed under a stream, and callers by certificate."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from tests.kit.actor import Actor, acting
from tests.kit.certificates import Authority, issue, issue_client
from tests.kit.completions import COMPLETED
from tests.kit.plano_up import CHAT, Running, plano_up

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-tls")]

ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "Will it rain in Seattle?"}], "max_tokens": 9}
BILLING = "spiffe://example.com/billing"


@dataclass(slots=True)
class Stage:
    gateway: Running
    provider: Actor
    server: Authority
    folder: Path

    def url(self, listener: str) -> str:
        return self.gateway.url(listener).replace("http://127.0.0.1", "https://localhost")

    def trust(self, client: str = "") -> ssl.SSLContext:
        """Trust the server's authority, and show one of the clients' certificates."""
        context = ssl.create_default_context(cafile=str(self.server.ca))
        if client:
            context.load_cert_chain(self.folder / f"{client}.pem", self.folder / f"{client}.key")
        return context

    async def ask(self, listener: str, client: str = "", *, http2: bool = False) -> httpx.Response:
        async with httpx.AsyncClient(verify=self.trust(client), http2=http2, trust_env=False) as http:
            return await http.post(f"{self.url(listener)}{CHAT}", json=ASKED)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("tls")
    server = issue(folder, "localhost")
    issue_client(folder, "billing", BILLING)
    issue_client(folder, "stranger", "spiffe://example.com/stranger")
    tls = {"certificate": str(server.certificate), "key": str(server.key)}
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(acting(COMPLETED))
        agent = [{"id": "weather", "description": "Tells the weather", "default": True}]
        config = {
            "agents": [{"id": "weather", "url": provider.url}],
            "model_providers": [
                {"model": "openai/gpt-4o", "base_url": f"{provider.url}/v1", "access_key": "$KEY", "default": True}
            ],
            "callers": [{"name": "billing", "certificates": [BILLING]}],
            "listeners": [
                {"type": "model", "name": "models", "tls": tls},
                {
                    "type": "agent",
                    "name": "mutual",
                    "agents": agent,
                    "tls": tls | {"client_ca": str(folder / "clients.pem")},
                    "auth": {"client_certificates": True},
                },
            ],
        }
        gateway = await stack.enter_async_context(plano_up(config, tmp_path_factory.mktemp("gateway"), env={"KEY": "sk"}))
        yield Stage(gateway, provider, server, folder)


@pytest.mark.parametrize("http2", [False, True])
async def test_clients_choose_the_version_of_http(stage: Stage, *, http2: bool) -> None:
    answer = await stage.ask("models", http2=http2)
    assert (answer.status_code, answer.http_version) == (200, "HTTP/2" if http2 else "HTTP/1.1")


async def test_an_official_client(stage: Stage) -> None:
    async with DefaultAsyncHttpxClient(verify=stage.trust()) as http:
        client = AsyncOpenAI(base_url=f"{stage.url('models')}/v1", api_key="none", max_retries=0, http_client=http)
        assert (await client.chat.completions.create(model="gpt-4o", messages=ASKED["messages"])).choices


async def test_plain_http_is_not_served(stage: Stage) -> None:
    with pytest.raises(httpx.TransportError):
        await stage.gateway.post("models", ASKED)


async def test_a_certificate_tells_the_caller(stage: Stage) -> None:
    answer = await stage.ask("mutual", "billing")
    assert answer.status_code == 200
    assert stage.provider.last.headers["x-plano-caller"] == "billing"
    assert not [name for name in stage.provider.last.headers if "peer" in name]
    expiry = (await stage.gateway.admin("GET", "/stats/prometheus", filter="certificate.*expiration")).text
    assert "envoy_listener_ssl_certificate_expiration_unix_time_seconds" in expiry


async def test_a_certificate_of_nobody_is_refused_in_the_clients_api(stage: Stage) -> None:
    answer = await stage.ask("mutual", "stranger")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


async def test_nobody_else_can_say_who_it_is(stage: Stage) -> None:
    async with httpx.AsyncClient(verify=stage.trust("stranger"), trust_env=False) as http:
        headers = {"x-plano-peer-uri": BILLING, "x-plano-peer-dns": BILLING, "x-plano-caller": "billing"}
        assert (await http.post(f"{stage.url('mutual')}{CHAT}", json=ASKED, headers=headers)).status_code == 401


async def test_without_a_certificate_there_is_no_connection(stage: Stage) -> None:
    with pytest.raises((httpx.TransportError, ssl.SSLError)):
        await stage.ask("mutual")


async def test_the_key_is_in_no_dump_and_no_log(stage: Stage) -> None:
    secret = stage.server.key.read_text().splitlines()[1]
    dump = (await stage.gateway.admin("GET", "/config_dump", include_eds="")).text
    assert secret not in dump
    for name, text in stage.gateway.logs():
        assert secret not in text, name


async def test_a_certificate_is_renewed_and_no_connection_ends(stage: Stage) -> None:
    """Last: clients trust another authority from now on."""
    before = stage.trust()
    async with httpx.AsyncClient(verify=before, trust_env=False) as http:
        assert (await http.post(f"{stage.url('models')}{CHAT}", json=ASKED)).status_code == 200
        renewed = issue(stage.folder / "next", "localhost")
        for new, old in ((renewed.certificate, stage.server.certificate), (renewed.key, stage.server.key)):
            shutil.move(new, old)
        shutil.copy(renewed.ca, stage.server.ca)
        async with asyncio.timeout(30):
            while True:
                try:
                    assert (await stage.ask("models")).status_code == 200
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.1)
        # The connection that was there knows the former authority only, and goes on.
        assert (await http.post(f"{stage.url('models')}{CHAT}", json=ASKED)).status_code == 200
