"""P4, P5: a log that an earlier version wrote is read, proven, continued and answered from by this one.

A red test here means that an installation could not be upgraded.
"""

import subprocess
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, get_args
from uuid import UUID

import msgspec
import psycopg
import pytest
from msgspec.structs import replace

from adapters.embedded.platforms import bundled_install
from adapters.inbound.http.inference.write_end import write_whole
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.setup.ensure_roles import ensure_roles
from adapters.outbound.postgres.setup.migrate import migrate
from adapters.outbound.postgres.verify.examine_ledger import pinned_evidence
from application.accounts.change_account_state import ChangeAccountState
from application.audit.verify_ledger import Report, verify_ledger
from application.credit.grant_credit import GrantCredit
from application.keys.rotate_key import RotateKey
from application.ports.key_directory import Caller
from application.sealed import Sealed
from application.write import Asked
from domain.account.events import AccountState
from domain.aggregates import CODEC
from domain.api_key.api_key import API_KEY, ApiKey
from domain.credit.decider import CREDIT
from domain.credit.state import CreditBalance
from domain.errors import DomainError
from domain.lot_kind import LotKind
from domain.money import format_usd
from tests.adapters.postgres_projections.conftest import Copy
from tests.golden.logs.gateway import LedgerGateway, chat_request, ledger_gateway
from tests.golden.logs.told import GoldenLog, Told, ToldChange, ToldGrant, ToldKey, golden_logs
from tests.rigs.databases import PASSWORD, ROLES, Database

LOGS = golden_logs()
YEAR_10000 = "9999-12-31T23:59:59-23:59"
"""Written within the calendar; in UTC it lies outside. Only the oldest log has it: it is refused since."""


class Restored(NamedTuple):
    database: Database
    told: Told


@pytest.fixture(scope="module", params=LOGS, ids=lambda log: log.folder.name)
def restored(request: pytest.FixtureRequest, server_dsn: str) -> Iterator[Restored]:
    """The dump in a database of its own, brought up to date as `gatewayz migrate` and a projector do it. Not to be
    written to: `to_write_to` is."""
    log: GoldenLog = request.param
    database = EmptyDatabase(server_dsn)
    restore(log, database)
    migrate(database.owner)
    ensure_roles(database.owner, ROLES, dict.fromkeys(ROLES, PASSWORD))
    Projector(database.projector).catch_up()
    yield Restored(database, log.told)
    database.drop()


@pytest.fixture
def to_write_to(restored: Restored, server_dsn: str) -> Iterator[Restored]:
    copy = Copy(server_dsn, restored.database.name)
    yield Restored(copy, restored.told)
    copy.drop()


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


def verdict(database: Database) -> Report:
    with pinned_evidence(database.auditor) as evidence:
        return verify_ledger(evidence, max_lag_s=3_600)


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


def test_P4_the_ledger_is_clean(restored: Restored) -> None:
    assert list(map(str, verdict(restored.database).findings)) == []


def test_P4_what_lies_outside_its_range_is_listed(restored: Restored) -> None:
    told = restored.told
    listed = {(clamped.stream, clamped.field) for clamped in verdict(restored.database).clamped}
    lots = {(CREDIT.stream(g.account_id), "expires_at") for g in told.grants if g.expires_at == YEAR_10000}
    names = ("year 10000", "year 0", "moved to the year 10000")
    keys = {(API_KEY.stream(key.key_id), "settings.expires_at") for key in told.keys if key.label in names}
    assert listed == lots | keys


async def test_P4_an_account_holds_what_it_held(restored: Restored, gateway: LedgerGateway) -> None:
    for account in restored.told.accounts:
        credit: CreditBalance = await gateway.ledger.state_of(CREDIT, account.account_id)
        held = credit.posted_nusd, credit.held_nusd, credit.available_nusd(restored.told.clock)
        assert held == (account.posted_nusd, account.held_nusd, account.available_nusd)
        read = await gateway.reads.credits.of_account(account.account_id)
        assert (read.posted_nusd, read.held_nusd) == (account.posted_nusd, account.held_nusd)


async def test_a_statement_and_keys_of_every_account_can_be_read(restored: Restored, gateway: LedgerGateway) -> None:
    told = restored.told
    for account in told.accounts:
        statement = await gateway.reads.statements.of_account(account.account_id, 100)
        granted = {grant.grant for grant in told.grants if grant.account_id == account.account_id}
        assert granted == {lot.lot_id for lot in statement.lots}
        records = await gateway.reads.keys.of_account(account.account_id, told.clock)
        keys = [key for key in told.keys if key.account_id == account.account_id]
        live = {key.key_id for key in keys if not (await key_of(gateway, key)).revoked}
        assert {record.key.key_id for record in records} == live


async def key_of(gateway: LedgerGateway, key: ToldKey) -> ApiKey:
    state: ApiKey = await gateway.ledger.state_of(API_KEY, key.key_id)
    return state


async def test_sealed_data_can_be_opened_with_the_secrets(restored: Restored, gateway: LedgerGateway) -> None:
    for account in restored.told.accounts:
        record = await gateway.reads.accounts.find(account.account_id)
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
        wanted = wanted_again(grant)
        again = await gateway.use_cases.grant_credit(grant.account_id, wanted, Asked("admin", UUID(grant.grant)))
        assert again.position == grant.position
    assert restored.database.sql("SELECT position FROM ledger.head") == head


async def test_P5_a_change_of_state_that_is_repeated_gets_its_first_result(
    restored: Restored, gateway: LedgerGateway
) -> None:
    for change in restored.told.changes:
        asked = Asked("admin", UUID(change.change))
        again = await gateway.use_cases.change_account_state(change.account_id, change_again(change), asked)
        assert again.position == change.position


async def test_P5_another_input_under_a_former_name_is_refused(restored: Restored, gateway: LedgerGateway) -> None:
    head = restored.database.sql("SELECT position FROM ledger.head")
    for grant in restored.told.grants[:3]:
        wanted = replace(wanted_again(grant), amount_usd="0.000000001")
        asked = Asked("admin", UUID(grant.grant))
        await refused(gateway.use_cases.grant_credit(grant.account_id, wanted, asked))
        unlike = replace(wanted_again(grant), reason=Sealed("another reason for it"))
        await refused(gateway.use_cases.grant_credit(grant.account_id, unlike, asked))
        await refused(
            gateway.use_cases.grant_credit(grant.account_id, wanted_again(grant), replace(asked, by="operator"))
        )
    for change in restored.told.changes[:3]:
        unlike_state = replace(change_again(change), reason=Sealed("another reason for it"))
        asked = Asked("admin", UUID(change.change))
        await refused(gateway.use_cases.change_account_state(change.account_id, unlike_state, asked))
    assert restored.database.sql("SELECT position FROM ledger.head") == head


async def refused(deed: Awaitable[object]) -> None:
    with pytest.raises(DomainError) as refusal:
        await deed
    assert refusal.value.code == "command_id_reused"


def wanted_again(grant: ToldGrant) -> GrantCredit:
    return GrantCredit(
        amount_usd=format_usd(grant.amount_nusd),
        kind=next(kind for kind in get_args(LotKind) if kind == grant.kind),
        reason=Sealed(grant.reason),
        expires_at=None if grant.expires_at is None else msgspec.convert(grant.expires_at, datetime),
    )


def change_again(change: ToldChange) -> ChangeAccountState:
    state = next(state for state in get_args(AccountState) if state == change.state)
    return ChangeAccountState(state=state, reason=Sealed(change.reason))


def test_a_log_has_changes_of_state_to_repeat() -> None:
    assert any(log.told.changes for log in LOGS)


async def test_P5_a_kept_answer_is_served_again(restored: Restored, gateway: LedgerGateway) -> None:
    head = restored.database.sql("SELECT position FROM ledger.head")
    assert len(restored.told.answers) > 5
    for told in restored.told.answers:
        caller = Caller(told.key_id, told.account_id, "inference", "live", "active")
        again = await gateway.complete_chat(caller, chat_request(told.request, told.idempotency_key, max_tokens=40))
        assert (write_whole(again).decode(), again.receipt.settled.paid_nusd, again.receipt.position) == (
            told.answer,
            told.paid_nusd,
            told.position,
        )
    assert restored.database.sql("SELECT position FROM ledger.head") == head
    assert gateway.providers.calls == []


async def test_the_log_goes_on(to_write_to: Restored) -> None:
    """New events on old streams, from snapshots and without, proven with all the rest."""
    database, told = to_write_to
    more = GrantCredit(amount_usd="1", kind="promo", reason=Sealed("to see that it goes on"))
    async with gateway_on(to_write_to) as gateway:
        for account in told.accounts:
            await gateway.use_cases.grant_credit(account.account_id, more, Asked("admin"))
        for key in told.keys:
            await rotate_and_revoke(gateway, key)
    Projector(database.projector).catch_up()
    assert list(map(str, verdict(database).findings)) == []


async def rotate_and_revoke(gateway: LedgerGateway, key: ToldKey) -> None:
    if not (await key_of(gateway, key)).revoked:
        await gateway.use_cases.rotate_key(key.account_id, key.key_id, RotateKey(), Asked("admin"))
        await gateway.use_cases.revoke_key(key.account_id, key.key_id)
