"""Providers over TLS: whom we do not know for certain gets no request, and a session is resumed."""

import asyncio
import ssl
from pathlib import Path

import pytest
import uvloop

from adapters.outbound.providers.http1.faults import ConnectFailed
from adapters.outbound.providers.http1.origin import Origin, ResumingContext, verifying_context
from adapters.outbound.providers.http1.pool import Pool
from adapters.outbound.providers.http_chat_providers import HttpChatProviders
from application.ports.provider_failure import ProviderFailure
from tests.adapters.providers.call_words import a_call, an_endpoint
from tests.rigs.providers.certificates import DAY, Authority
from tests.rigs.providers.http1 import requests
from tests.rigs.providers.raw_server import RawServer, answer, raw_server

HEAD = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"


class Provider:
    """requests: how many it read. resumed: of each connection, whether its session was one of before."""

    def __init__(self) -> None:
        self.requests = 0
        self.resumed: list[bool] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.resumed.append(writer.get_extra_info("ssl_object").session_reused)
        async for _ in requests(reader):
            self.requests += 1
            writer.write(answer(b"hello"))


def trusting(authority: Authority) -> ResumingContext:
    context = verifying_context()
    context.load_verify_locations(authority.file)
    return context


async def ask(pool: Pool, origin: Origin) -> bytes:
    response = await pool.send(origin, HEAD, b"", connect_timeout_s=5, timeout_s=5)
    await response.head()
    return await response.whole(100)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_a_server_with_a_good_certificate_is_asked(authority: Authority) -> None:
    provider, pool = Provider(), Pool()
    async with raw_server(provider.talk, authority.server()) as server:
        assert await ask(pool, Origin(server.url, trusting(authority))) == b"hello"
        pool.close()
    assert provider.requests == 1


WRONG = ("another authority", "expired", "another name", "no TLS at all")


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_server_that_is_not_known_gets_nothing(authority: Authority, tmp_path: Path, wrong: str) -> None:
    provider, pool = Provider(), Pool()
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "somebody")
    contexts: dict[str, ssl.SSLContext | None] = {
        "another authority": other.server(),
        "expired": authority.server(ended=DAY),
        "another name": authority.server("example.com"),
        "no TLS at all": None,
    }
    async with raw_server(provider.talk, contexts[wrong]) as server:
        origin = Origin(server.url.replace("http:", "https:"), trusting(authority))
        with pytest.raises(ConnectFailed):
            await ask(pool, origin)
    assert provider.requests == 0


async def test_the_systems_authorities_are_trusted_and_no_others(authority: Authority) -> None:
    provider, pool = Provider(), Pool()
    async with raw_server(provider.talk, authority.server()) as server:
        with pytest.raises(ConnectFailed, match="certificate"):
            await ask(pool, Origin(server.url))
    assert provider.requests == 0
    assert verifying_context().verify_mode == ssl.CERT_REQUIRED
    assert verifying_context().check_hostname


async def test_a_provider_with_a_wrong_certificate_is_a_failed_connection(authority: Authority) -> None:
    provider = Provider()
    async with raw_server(provider.talk, authority.server()) as server:
        client = HttpChatProviders({"acme": an_endpoint(base_url=server.url)})
        with pytest.raises(ProviderFailure) as failed:
            await client.complete(a_call())
        await client.close()
    assert (failed.value.attempt.error_class, failed.value.fails_over) == ("connect_failed", True)
    assert provider.requests == 0


async def two_connections(authority: Authority, tls13: bool) -> list[bool]:
    provider = Provider()
    async with raw_server(provider.talk, authority.server(tls13=tls13)) as server:
        origin = Origin(server.url, trusting(authority))
        for _ in range(2):
            pool = Pool()
            assert await ask(pool, origin) == b"hello"
            await asyncio.sleep(0.02)
            pool.close()
    return provider.resumed


@pytest.mark.parametrize("tls13", [True, False])
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_second_connection_resumes_the_session_of_the_first(authority: Authority, run: object, tls13: bool) -> None:
    assert callable(run)
    assert run(two_connections(authority, tls13)) == [False, True]


async def test_a_connection_over_tls_is_used_again(authority: Authority) -> None:
    provider, pool = Provider(), Pool()
    server: RawServer
    async with raw_server(provider.talk, authority.server()) as server:
        origin = Origin(server.url, trusting(authority))
        for _ in range(10):
            assert await ask(pool, origin) == b"hello"
            await asyncio.sleep(0.01)
        pool.close()
    assert (server.connections, provider.requests) == (1, 10)
