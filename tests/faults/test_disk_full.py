"""P1: PostgreSQL has no room for another event: writes are told 503, reads and verify go on, nothing is left behind.

Here the server is made to say so (SQL state 53100), which any machine can do; on a file system that is really full:
tests/soak/test_disk_full.py.
"""

import json
import urllib.request
from collections.abc import Iterator

import psycopg
import pytest

from tests.rigs.faults.outage import survive
from tests.rigs.faults.proxied_gateway import Proxied, proxied_gateway

SEED = 61
FULL = """
CREATE FUNCTION public.disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER disk_is_full BEFORE INSERT ON ledger.stored_events
    FOR EACH STATEMENT EXECUTE FUNCTION public.disk_is_full();
"""
ROOM_AGAIN = "DROP FUNCTION public.disk_is_full() CASCADE"


@pytest.fixture
def house(server_dsn: str) -> Iterator[Proxied]:
    with proxied_gateway(server_dsn, SEED, GATEWAYZ_RESERVE_PATIENCE_S="1.5") as started:
        yield started


def test_p1_with_no_room_writes_are_503_reads_and_verify_go_on_and_it_resumes(house: Proxied) -> None:
    _, key = house.gateway.account_with_key("reader", usd="12.5")

    def reads_go_on() -> None:
        assert available_usd(house, key) == "12.5"
        verified = house.gateway.command("verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr

    with psycopg.connect(house.dsn, autocommit=True) as owner:
        survive(house, "full", lambda: owner.execute(FULL), lambda: owner.execute(ROOM_AGAIN), reads_go_on)


def available_usd(house: Proxied, key: str) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{house.gateway.port}/v1/credits", headers={"authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["data"]["total_credits"])
