"""The one pool of connections to providers in a process: httpx's API on aiohttp's transport."""

import ssl

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

MAX_CONNECTIONS = 4_096
"""A connection is a request under way: more than one process can relay, so it binds only when something is wrong."""

MAX_CONNECTIONS_PER_HOST = 2_048
"""One slow provider cannot take the whole pool."""

KEEPALIVE_S = 15.0
"""Idle connections go before any provider closes them (60 s and more), so that no request meets a closing one."""

DNS_CACHE_S = 60


def pooled_transport() -> httpx.AsyncBaseTransport:
    """Built at once, connected at the first request, on the event loop that makes it.

    Nothing comes from the environment (no proxy, no netrc) and no cookie is kept: it would travel from one customer's
    request to another's.
    """
    tls = ssl.create_default_context()
    return AiohttpTransport(verify=tls, trust_env=False, client=lambda: _session(tls))


def _session(tls: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=MAX_CONNECTIONS,
        limit_per_host=MAX_CONNECTIONS_PER_HOST,
        keepalive_timeout=KEEPALIVE_S,
        ttl_dns_cache=DNS_CACHE_S,
        ssl=tls,
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
