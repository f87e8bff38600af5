"""Cuts between serve and PostgreSQL at the worst two moments of a reserve or settle."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg

from tests.rigs.faults.oracle import settled_books
from tests.rigs.faults.proxied_gateway import Proxied
from tests.rigs.installation.clients import Seen, ask_all
from tests.rigs.installation.installation import eventually

TAGS = ("credit.reserved.v2", "credit.settled.v1")
PARALLEL = 3


def lose_replies(house: Proxied, key: str, cuts: int) -> None:
    """Wait, each time, until the event is visible to another connection; only then cut, before the reply has left."""
    seen: list[Seen] = []
    with psycopg.connect(house.dsn, autocommit=True) as watching, ThreadPoolExecutor(1) as pool:
        for n in range(cuts):
            tag = TAGS[n % 2]
            visible = recorded(watching, tag) + 1
            house.to_database.set(keep_reply_to=tag.encode())
            asking = pool.submit(ask, house, key, f"reply {n}")
            eventually(lambda: house.to_database.has_kept)
            eventually(partial(has_recorded, watching, tag, visible))
            house.to_database.cut()
            seen += asking.result()
    all_were_answered(house, seen)


def lose_statements(house: Proxied, key: str, cuts: int) -> None:
    """The connection breaks before the statement has arrived."""
    seen: list[Seen] = []
    for n in range(cuts):
        house.to_database.set(swallow=TAGS[n % 2].encode())
        seen += ask(house, key, f"statement {n}")
    assert house.to_database.swallowed == cuts
    all_were_answered(house, seen)


def ask(house: Proxied, key: str, name: str) -> list[Seen]:
    markers = [f"{name} {i} takes 0 s" for i in range(PARALLEL)]
    return asyncio.run(ask_all(house.gateway.port, key, "test/tokens", markers))


def has_recorded(watching: "psycopg.Connection[tuple[int]]", tag: str, count: int) -> bool:
    return recorded(watching, tag) >= count


def recorded(watching: "psycopg.Connection[tuple[int]]", tag: str) -> int:
    rows = watching.execute("SELECT count(*) FROM ledger.stored_events WHERE topic = %s", [tag]).fetchall()
    return rows[0][0]


def all_were_answered(house: Proxied, seen: list[Seen]) -> None:
    """No false failure; and nothing was charged twice or for nobody."""
    failed = [s for s in seen if not s.whole]
    assert not failed, failed[:3]
    facts = settled_books(house.gateway, house.dsn, house.provider, seen)
    assert all(ends == ["credit.settled.v1"] for ends in facts.ends.values()), "nothing had to be taken back"
