"""P4, P5: a log that an earlier version wrote is read, proven, continued and answered from by this one.

A red test here means that an installation could not be upgraded.
"""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, get_args
from uuid import UUID

import msgspec
import psycopg
import pytest

from adapters.embedded.platforms import bundled_install
from adapters.outbound.postgres.ensure_roles import ensure_roles
from adapters.outbound.postgres.migrate import migrate
from adapters.outbound.postgres.project_log import Projector
from application.ports import Caller
from domain.aggregates import CODEC
from domain.api_key.api_key import API_KEY, ApiKey
from domain.credit.decider import CREDIT
from domain.credit.lot import LotKind
from domain.credit.state import CreditBalance
from tests.databases import PASSWORD, ROLES, Database
from tests.golden.logs.gateway import LedgerGateway, chat_request, ledger_gateway
from tests.golden.logs.told import GoldenLog, Told, ToldKey, golden_logs

LOGS = golden_logs()


class Restored(NamedTuple):
    database: Database
    told: Told


@pytest.fixture(scope="module", params=LOGS, ids=lambda log: log.folder.name)
def restored(request: pytest.FixtureRequest, server_dsn: str) -> Iterator[Restored]:
    """The dump in a database of its own, brought up to date as `gatewayz migrate` and a projector do it."""
    log: GoldenLog = request.param
    database = EmptyDatabase(server_dsn)
    restore(log, database)
    migrate(database.owner)
    ensure_roles(database.owner, ROLES, dict.fromkeys(ROLES, PASSWORD))
    Projector(database.projector).catch_up()
    yield Restored(database, log.told)
    database.drop()


@pytest.fixture
async def gateway(restored: Restored) -> AsyncIterator[LedgerGateway]:
    async with gateway_on(restored) as gateway:
        yield gateway


def gateway_on(log: Restored) -> AbstractAsyncContextManager[LedgerGateway]:
    return ledger_gateway(log.database.writer, log.told.secrets, log.told.clock)


class EmptyDatabase(Database):
    """Without a ledger."""

    def __init__(self, server_dsn: str) -> None:
        super().__init__(server_dsn)
        with psycopg.connect(server_dsn, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {self.name}".encode())
            connection.execute(f"CREATE DATABASE {self.name}".encode())


def restore(log: GoldenLog, database: Database) -> None:
    program = bundled_install() / "bin" / "pg_restore"
    command = [str(program), "--exit-on-error", "--single-transaction", f"--dbname={database.owner}", str(log.dump)]
    subprocess.run(command, check=True, timeout=120)


def test_there_is_a_log_to_try() -> None:
    assert "6c5f8c3" in {log.folder.name for log in LOGS}


def test_P4_every_event_is_there_and_can_be_read(restored: Restored) -> None:
    rows = restored.database.sql("SELECT topic, state FROM ledger.stored_events")
    counted = dict.fromkeys(restored.told.events, 0)
    for tag, state in rows:
        CODEC.decode(str(tag), bytes(state))  # type: ignore[call-overload]
        counted[str(tag)] += 1
    assert counted == restored.told.events


TABLES = (
    "ledger.snapshots",
    "ledger.claims",
    "ledger.data_keys",
    "content.answers",
)


@pytest.mark.parametrize("table", TABLES)
def test_it_has_something_of_everything_that_is_kept(restored: Restored, table: str) -> None:
    assert restored.database.sql(f"SELECT count(*) > 0 FROM {table}") == [(True,)]


async def test_P4_an_account_holds_what_it_held(restored: Restored, gateway: LedgerGateway) -> None:
    for account in restored.told.accounts:
        credit: CreditBalance = await gateway.ledger.state_of(CREDIT, account.account_id)
        held = credit.posted_nusd, credit.held_nusd, credit.available_nusd(restored.told.clock)
        assert held == (account.posted_nusd, account.held_nusd, account.available_nusd)
        read = await gateway.reads.credits(account.account_id)
        assert (read.posted_nusd, read.held_nusd) == (account.posted_nusd, account.held_nusd)


async def key_of(gateway: LedgerGateway, key: ToldKey) -> ApiKey:
    state: ApiKey = await gateway.ledger.state_of(API_KEY, key.key_id)
    return state


async def test_sealed_data_can_be_opened_with_the_secrets(restored: Restored, gateway: LedgerGateway) -> None:
    for account in restored.told.accounts:
        record = await gateway.reads.account(account.account_id)
        assert record is not None
        opened = [
            await gateway.personal_data.open(account.account_id, data) for data in (record.username, record.email)
        ]
        assert opened == [account.username.encode(), account.email.encode()]


async def test_keys_open_and_are_refused_as_before(restored: Restored, gateway: LedgerGateway) -> None:
    for told in restored.told.keys:
        key = await key_of(gateway, told)
        hashed = gateway.personal_data.keyed_hash("key_secret", told.secret)
        assert (key.refusal(hashed, restored.told.clock) or "") == told.refusal
        assert await gateway.personal_data.open(told.account_id, key.settings.label) == told.label.encode()


async def test_P5_a_grant_that_is_repeated_gets_its_first_result(restored: Restored, gateway: LedgerGateway) -> None:
    head = restored.database.sql("SELECT position FROM ledger.head")
    assert len(restored.told.grants) > 5
    for grant in restored.told.grants:
        kind = next(kind for kind in get_args(LotKind) if kind == grant.kind)
        again = await gateway.grant_credit(
            grant.account_id,
            grant.amount_nusd,
            kind,
            grant.reason,
            actor="admin",
            grant=UUID(grant.grant),
            expires_at=None if grant.expires_at is None else msgspec.convert(grant.expires_at, datetime),
        )
        assert again.position == grant.position
    assert restored.database.sql("SELECT position FROM ledger.head") == head


async def test_P5_a_kept_answer_is_served_again(restored: Restored, gateway: LedgerGateway) -> None:
    head = restored.database.sql("SELECT position FROM ledger.head")
    assert len(restored.told.answers) > 5
    for told in restored.told.answers:
        caller = Caller(told.key_id, told.account_id, "inference", "live", "active")
        again = await gateway.complete_chat(caller, chat_request(told.request, told.idempotency_key, max_tokens=40))
        assert (again.body.decode(), again.cost_nusd, again.position) == (told.answer, told.cost_nusd, told.position)
    assert restored.database.sql("SELECT position FROM ledger.head") == head
    assert gateway.providers.calls == []
