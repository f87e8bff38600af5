"""`gatewayz serve` with fault proxies on both sides: between it and PostgreSQL, between it and the provider."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from tests.rigs.databases import empty_database
from tests.rigs.faults.proxy_beside import ProxyBeside, proxied_database, proxy_beside
from tests.rigs.providers.provider_process import ProviderProcess, own_provider
from tests.rigs.running import Gateway, gateway


class Proxied(NamedTuple):
    """dsn: the database's owner, past the proxy."""

    gateway: Gateway
    dsn: str
    provider: ProviderProcess
    to_database: ProxyBeside
    to_provider: ProxyBeside


@contextmanager
def proxied_gateway(server_dsn: str, seed: int, workers: int = 1, **settings: str) -> Iterator[Proxied]:
    print(f"seed {seed}")
    with ExitStack() as stack:
        dsn = stack.enter_context(empty_database(server_dsn))
        to_database, through = stack.enter_context(proxied_database(dsn))
        provider = stack.enter_context(own_provider(seed))
        to_provider = stack.enter_context(proxy_beside("127.0.0.1", provider.port))
        running = stack.enter_context(
            gateway(f"http://127.0.0.1:{to_provider.port}/v1", workers, None, DATABASE_URL=through, **settings)
        )
        yield Proxied(running, dsn, provider, to_database, to_provider)
