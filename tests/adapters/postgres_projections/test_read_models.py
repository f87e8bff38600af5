"""What the API and the expiry loop ask, of tables that a projector wrote."""

from typing import Any

import pytest

from adapters.outbound.postgres.builds.builds_in_use import guarded
from adapters.outbound.postgres.builds.project_log import Projector
from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.credit.events import Attempt
from projections.api_key.project import PROJECTION
from projections.api_key.queries import FIND_KEY
from projections.available_credit.project import PROJECTION as AVAILABLE_CREDIT
from projections.engine.registry import BUILDS
from tests.projections.append_events import append_events
from tests.projections.story import Log, open_account
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import ask

FULL = 450_000
FAILED = Attempt(provider="acme", error_class="timeout", status=504, duration_ms=30)


@pytest.fixture
def log() -> Log:
    log = Log()
    open_account(log, "acct", keys=2)
    return log


def projected(database: Database, log: Log) -> None:
    append_events(database.writer, log.events)
    Projector(database.projector).catch_up()


def credit(log: Log, *commands: Any) -> None:
    for command in commands:
        assert log.command(CREDIT, "acct", command), command


def grant(log: Log, lot_id: str = "lot", amount_nusd: int = 10**6, **more: Any) -> c.Grant:
    return c.Grant(at=log.at, lot_id=lot_id, kind="purchased", amount_nusd=amount_nusd, **more)


def test_looking_a_key_up_reads_only_by_index(database: Database, log: Log) -> None:
    projected(database, log)
    database.sql("INSERT INTO read.api_key_secret_v1 SELECT n::text::bytea, n::text FROM generate_series(1, 20000) n")
    database.sql("INSERT INTO read.api_key_v1 SELECT n::text FROM generate_series(1, 20000) n")
    database.sql("ANALYZE")
    asked = guarded(FIND_KEY, PROJECTION, BUILDS).replace("$1", "'x'::bytea")
    plan = str(database.sql("EXPLAIN " + asked))
    assert "Seq Scan on api_key" not in plan and "api_key_secret_v1_pkey" in plan


def test_a_parked_account_is_marked(database: Database, log: Log) -> None:
    credit(log, grant(log))
    projected(database, log)
    for account, position in (("acct", 3), ("new", 9)):
        parked = [AVAILABLE_CREDIT.name, AVAILABLE_CREDIT.version, account, position]
        database.sql("INSERT INTO read.parked VALUES (%s, %s, %s, %s, 'x')", *parked)
    assert ask(database, lambda reads: reads.credits.of_account("acct")).not_provable_beyond == 3
    assert ask(database, lambda reads: reads.credits.of_account("new")).not_provable_beyond == 9
