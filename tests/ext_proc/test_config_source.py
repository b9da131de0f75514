"""Follows FilterConfig over real gRPC: acknowledged, refused with a reason, kept while the control plane is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ext_proc.clients.config_source import ConfigRejected, ConfigSource
from protos import discovery_pb2 as ads
from protos.contract.discovery import FILTER_CONFIG_NAME, FILTER_CONFIG_TYPE_URL
from protos.filter_config_pb2 import FilterConfig
from tests.kit.ads_stub import AdsStub, response, serving_ads
from tests.kit.envoy import short_folder


class Applied:
    """Takes configurations, except version `bad`."""

    def __init__(self) -> None:
        self.versions: list[str] = []

    def __call__(self, config: FilterConfig) -> None:
        if config.version == "bug":
            raise ZeroDivisionError
        if config.version == "bad":
            raise ConfigRejected("it contradicts itself")
        self.versions.append(config.version)


@asynccontextmanager
async def following(address: str, applied: Applied) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        follower = tasks.create_task(ConfigSource(address, "worker-1", applied).follow())
        yield
        follower.cancel()


@pytest.fixture
async def folder() -> AsyncIterator[Path]:
    async with short_folder() as path:
        yield path


async def test_subscribes_and_acknowledges(folder: Path) -> None:
    address, applied = f"unix:{folder}/xds.sock", Applied()
    stub = AdsStub(response(FilterConfig(version="v1")))
    async with serving_ads(stub, address), following(address, applied):
        first = await stub.next_request()
        assert (first.node.id, first.node.cluster) == ("worker-1", "ext_proc")
        assert (first.type_url, list(first.resource_names)) == (FILTER_CONFIG_TYPE_URL, [FILTER_CONFIG_NAME])
        assert (first.version_info, first.response_nonce) == ("", "")
        ack = await stub.next_request()
        assert (ack.version_info, ack.response_nonce, ack.HasField("error_detail")) == ("v1", "n1", False)
    assert applied.versions == ["v1"]


@pytest.mark.parametrize(("version", "reason"), [("bad", "it contradicts itself"), ("bug", "could not be applied")])
async def test_refuses_with_a_reason_and_keeps_the_last_good_one(folder: Path, version: str, reason: str) -> None:
    address, applied = f"unix:{folder}/xds.sock", Applied()
    stub = AdsStub(response(FilterConfig(version="v1")))
    async with serving_ads(stub, address), following(address, applied):
        await stub.next_request()
        await stub.next_request()
        stub.send(response(FilterConfig(version=version), "n2"))
        nack = await stub.next_request()
        assert (nack.version_info, nack.response_nonce) == ("v1", "n2")
        assert reason in nack.error_detail.message
        stub.send(response(FilterConfig(version="v2"), "n3"))
        assert (await stub.next_request()).version_info == "v2"
    assert applied.versions == ["v1", "v2"]


@pytest.mark.parametrize(
    "nonsense",
    [
        ads.DiscoveryResponse(version_info="x", nonce="n2", type_url="type.googleapis.com/other"),
        ads.DiscoveryResponse(version_info="x", nonce="n2", type_url=FILTER_CONFIG_TYPE_URL, resources=[{"type_url": "a/b"}]),
        ads.DiscoveryResponse(
            version_info="x",
            nonce="n2",
            type_url=FILTER_CONFIG_TYPE_URL,
            resources=[{"type_url": FILTER_CONFIG_TYPE_URL, "value": b"\xff\xff"}],
        ),
    ],
)
async def test_refuses_what_it_did_not_ask_for(folder: Path, nonsense: ads.DiscoveryResponse) -> None:
    address, applied = f"unix:{folder}/xds.sock", Applied()
    stub = AdsStub(nonsense)
    async with serving_ads(stub, address), following(address, applied):
        await stub.next_request()
        nack = await stub.next_request()
    assert (nack.version_info, nack.response_nonce) == ("", "n2")
    assert nack.error_detail.code == 3
    assert applied.versions == []


async def test_reconnects_and_says_what_it_has(folder: Path) -> None:
    address, applied = f"unix:{folder}/xds.sock", Applied()
    current = response(FilterConfig(version="v1"))
    async with following(address, applied):
        async with serving_ads(AdsStub(current), address) as before:
            await before.next_request()
            await before.next_request()
        async with serving_ads(AdsStub(current), address) as after:
            assert (await after.next_request()).version_info == "v1"
            ack = await after.next_request()
            assert (ack.version_info, ack.response_nonce) == ("v1", "n1")
            after.send(response(FilterConfig(version="v2"), "n2"))
            assert (await after.next_request()).version_info == "v2"
    assert applied.versions == ["v1", "v2"]
