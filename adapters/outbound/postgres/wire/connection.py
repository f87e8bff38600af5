"""Opens connections for the ledger: UTC, READ COMMITTED, durable commits, bounded waits."""

import asyncio
from urllib.parse import quote, urlencode

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.waiting import wait_async
from psycopg_pool import AsyncConnectionPool

CONNECT_TIMEOUT_S = 5
"""A database that does not answer within this is reported as out of reach; the caller retries."""

SESSION_OPTIONS = {
    "timezone": "UTC",
    "default_transaction_isolation": "read committed",  # the append's statements must see what their lock waited for
    "synchronous_commit": "on",  # an answer is sent after its settle is on disk
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "10s",  # a stopped process must not hold locks for ever
    "tcp_user_timeout": "10s",  # nor while the server waits for it to read a reply
    "client_min_messages": "warning",
}


def conninfo(dsn: str, *, user: str | None = None, password: str | None = None, name: str = "gatewayz") -> str:
    """`dsn` with the login of `user`, and our session options after its own.

    TCP keepalives and tcp_user_timeout detect a dead network within seconds instead of the kernel's minutes.
    """
    given = conninfo_to_dict(dsn)
    options = " ".join(f"-c {key}={value.replace(' ', chr(92) + ' ')}" for key, value in SESSION_OPTIONS.items())
    merged: dict[str, object] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
        "application_name": name,
        **given,
        "options": f"{given.get('options') or ''} {options}".strip(),
    }
    if user is not None:
        merged |= {"user": user, "password": password}
    return make_conninfo(**merged)  # type: ignore[arg-type]


class PromptConnection(psycopg.AsyncConnection):
    """A connection that closes when its query is cancelled, so that the caller stops waiting at once.

    psycopg itself asks the server on another connection to cancel, then waits for the answer: ten seconds more on a
    dead network, on top of any timeout around the query.
    """

    async def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:  # noqa: ASYNC109
        try:
            return await wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise


async def connect(info: str) -> psycopg.AsyncConnection:
    """Open one autocommit connection that prepares every statement at its first use."""
    connection = await psycopg.AsyncConnection.connect(info, autocommit=True)
    connection.prepare_threshold = 0
    return connection


def url_as(dsn: str, user: str, password: str) -> str:
    """`dsn` as a URL, with another login."""
    parts: dict[str, str] = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    place = {name: parts.pop(name, "") for name in ("host", "port", "dbname", "user", "password")}
    if "," in place["host"] or "/" in place["host"] or ":" in place["host"]:  # several, a folder, IPv6: as parameters
        parts |= {name: place.pop(name) for name in ("host", "port") if place[name]}
    port = f":{place['port']}" if place.get("port") else ""
    query = f"?{urlencode(parts, quote_via=quote)}" if parts else ""
    return (
        f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{place.get('host', '')}{port}"
        f"/{quote(place['dbname'], safe='')}{query}"
    )


def place_of(dsn: str) -> str:
    """Host, port and database of a DSN, without its password, for messages."""
    parts = conninfo_to_dict(dsn)
    host = parts.get("host") or "localhost"
    return f"{host}:{parts.get('port') or 5432}/{parts.get('dbname') or ''}"


Pool = AsyncConnectionPool
"""A pool of connections that read; the module that opens it chooses their class and options."""
