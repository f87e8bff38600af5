"""What application.reads.generations promises."""

from datetime import timedelta
from typing import Any

from adapters.outbound.postgres.read.generations import PostgresGenerationReads
from application.reads.generations import GenerationReads
from domain.credit import commands as c
from domain.credit.events import Attempt
from domain.credit.lot import Part
from tests.contracts.reads.logs import FULL, Told, credit, grant
from tests.fakes.reads.generations import MemoryGenerationReads
from tests.projections.story import Log, reserve, settle

SUBJECTS = {"memory": MemoryGenerationReads, "postgres": PostgresGenerationReads}
PORT = GenerationReads

FAILED = Attempt(provider="acme", error_class="timeout", status=504, duration_ms=30)


async def test_what_an_app_calls_itself_comes_back_as_it_was_sealed(told: Told, log: Log) -> None:
    credit(log, grant(log, amount_nusd=10**7), reserve(log, "acct", "acct-k0", "r1", title=b"\x00\xff sealed"))
    credit(log, reserve(log, "acct", "acct-k0", "r2", app="https://b.example"))
    generations = (await told(log.events)).generations
    titled = await generations.find("acct", "r1")
    plain = await generations.find("acct", "r2")
    assert titled is not None and plain is not None
    assert (titled.app, titled.title) == ("https://app.example", b"\x00\xff sealed")
    assert (plain.app, plain.title) == ("https://b.example", b"")


async def test_an_extended_reservation_shows_what_it_holds(told: Told, log: Log) -> None:
    extend = c.ExtendReservation(at=log.at, reservation_id="r1", amount_nusd=FULL + 9)
    credit(log, grant(log), reserve(log, "acct", "k", "r1"), extend)
    generations = (await told(log.events)).generations
    found = await generations.find("acct", "r1")
    assert found is not None and found.reserved_nusd == FULL + 9


async def test_a_late_settle_is_found_by_the_id_the_customer_was_given(told: Told, log: Log) -> None:
    credit(log, grant(log), reserve(log, "acct", "k", "r1"))
    log.at += timedelta(hours=1)
    credit(log, c.ExpireReservation(at=log.at, reservation_id="r1"))
    credit(log, settle(log, "r1", 100, late=reserve(log, "acct", "k", "r1-late")))
    generations = (await told(log.events)).generations
    found = await generations.find("acct", "gen-r1")
    assert found is not None
    assert (found.reservation_id, found.replaces, found.status) == (c.late_id("r1"), "r1", "settled")


async def test_a_request_of_another_account_is_not_shown(told: Told, log: Log) -> None:
    credit(log, grant(log), reserve(log, "acct", "k", "r1"))
    generations = (await told(log.events)).generations
    assert await generations.find("other", "gen-r1") is None
    assert await generations.find("acct", "gen-r2") is None


async def test_a_request_is_shown_from_reserve_to_end(told: Told, log: Log) -> None:
    credit(
        log,
        grant(log),
        reserve(log, "acct", "k", "r1"),
        c.RecordAttempt(at=log.at, reservation_id="r1", attempt=FAILED),
    )
    generations = (await told(log.events)).generations
    found = await generations.find("acct", "gen-r1")
    assert found is not None
    assert (found.status, found.reserved_nusd, found.paid_nusd, found.ended_at) == ("reserved", FULL, 0, None)
    assert (found.holds, found.burnt, found.usage, found.attempts) == ((Part("lot", FULL),), (), {}, (FAILED,))
    before = len(log.events)
    credit(log, settle(log, "r1", 100))
    generations = (await told(log.events[before:])).generations
    found = await generations.find("acct", "r1")
    assert found is not None
    settled: Any = log.events[-1].event
    assert (found.status, found.paid_nusd, found.charge_nusd) == ("settled", 195_000, 195_000)
    assert (found.lines, found.burnt) == (settled.charge.lines, settled.burnt)
    assert (found.usage, found.provider_cost_nusd) == ({"input": 900, "output": 100}, 100_100)
    assert (found.reserve_position, found.position) == (before - 1, len(log.events))
