"""The one pool of connections to providers in a process: httpx's API on aiohttp's transport."""

import ssl

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

MAX_CONNECTIONS = 4_096
"""One connection per open request: one process cannot relay so many, so the limit binds only if something is wrong."""

MAX_CONNECTIONS_PER_HOST = 2_048
"""One slow provider cannot take the whole pool."""

KEEPALIVE_S = 15.0
"""Shorter than any provider keeps idle connections (60 s and more), so that no request meets a closing one."""

DNS_CACHE_S = 60


def pooled_transport() -> httpx.AsyncBaseTransport:
    """Built at once; connects at the first request, on the event loop of that request.

    It reads nothing from the environment (no proxy, no netrc) and keeps no cookie: a cookie would travel from one
    customer's request to another's.
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
