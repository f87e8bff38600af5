"""P1: a command that the database or the domain cannot stomach fails alone; its neighbours and the ledger go on."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from adapters.outbound.postgres.append.append_batch import NewEvent
from adapters.outbound.postgres.append.ledger import PostgresLedger
from application.ports.answers import StoredAnswer
from domain.aggregates import CODEC
from domain.claim import Claim
from domain.credit.decider import CREDIT
from domain.errors import DomainError
from tests.domain.credit_words import NOW, grant, hold, settle
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import credit, credit_of, eventually, running, stalled


def raw(stream: str, version: int = 1, tag: str = "test.happened.v1", state: bytes = b"{}") -> Callable[..., Any]:
    return lambda ledger: ledger.append_raw(stream, [NewEvent(version, tag, state)])


def claiming(claim: Claim) -> Callable[..., Any]:
    return lambda ledger: ledger.transact(CREDIT, "p", grant("lot", 1), command_id=uuid4(), claims=[claim])


def deciding(*, command: Any = None, **more: Any) -> Callable[..., Any]:
    return lambda ledger: ledger.transact(CREDIT, "p", command or grant("lot", 1), command_id=uuid4(), **more)


POISONS: dict[str, Callable[..., Any]] = {
    "NUL in a tag": raw("p", tag="a\0b"),
    "NUL in a stream": raw("p\0"),
    "half a surrogate in a tag": raw("p", tag="\ud800"),
    "a version beyond 64 bits": raw("p", version=2**63),
    "a version far beyond 64 bits": raw("p", version=2**70),
    "a stream too long to be indexed": raw("".join(chr(0x4E00 + n) for n in range(5_000))),
    "NUL in a claim": claiming(Claim("a\0b", b"hash")),
    "a claim too long to be indexed": claiming(Claim("kind", Random(1).randbytes(20_000))),
    "an answer for an account with NUL": deciding(answer=StoredAnswer("\0", uuid4(), b"", NOW)),
    "an answer that expires without a time zone": deciding(
        answer=StoredAnswer("a", uuid4(), b"", NOW.replace(tzinfo=None))
    ),
    "a command that the decider does not know": deciding(command=object, input_hash=b"hash"),
    "an input hash that is no bytes": deciding(input_hash="text"),
}


async def together(database: Database, ledger: PostgresLedger, calls: list[Callable[..., Any]]) -> list[Any]:
    """Results of `calls`, which meet in one batch: the head is held while they queue up behind another append."""
    async with stalled(database, ledger):
        tasks = [asyncio.create_task(call(ledger)) for call in calls]
        await eventually(lambda: ledger.queued == len(calls))
    async with asyncio.timeout(10):
        return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("poison", POISONS)
async def test_a_poisoned_command_fails_alone(database: Database, poison: str) -> None:
    async with running(database.writer) as ledger:
        await credit(ledger, "a0", grant("lot", 1))
        calls = [lambda ledger, n=n: credit(ledger, f"a{n}", grant("another", 1)) for n in range(5)]
        results = await together(database, ledger, [*calls[:3], POISONS[poison], *calls[3:]])
        failed = [result for result in results if isinstance(result, BaseException)]
        assert failed == [results[3]]
        assert not isinstance(failed[0], TimeoutError)
        await credit(ledger, "a0", hold("after", 2))
    assert credit_of(database, "a0").held_nusd == 2
    assert database.sql("SELECT count(*) FROM ledger.claims") == [(0,)]


async def test_raw_events_of_one_stream_that_arrive_together_are_appended_one_after_the_other(
    database: Database,
) -> None:
    async with running(database.writer) as ledger:
        calls = [raw("raw"), raw("raw"), raw("raw", version=2), raw("other"), raw("raw", version=2)]
        results = await together(database, ledger, calls)
    assert [result.code if isinstance(result, DomainError) else "" for result in results] == [
        "", "stale_stream", "", "", "stale_stream"
    ]  # fmt: skip


async def test_raw_events_and_commands_on_one_stream_do_not_disturb_each_other(database: Database) -> None:
    (reserved,) = CREDIT.decide(
        hold("raw", 4), CREDIT.fold(CREDIT.initial, CREDIT.decide(grant("lot", 10), CREDIT.initial))
    )
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 10))
        calls = [
            lambda ledger: ledger.append_raw("credit-a", [NewEvent(2, reserved.tag, CODEC.encode(reserved))]),
            lambda ledger: credit(ledger, "a", hold("six", 6)),
            lambda ledger: credit(ledger, "b", grant("lot", 1)),
        ]
        results = await together(database, ledger, calls)
    assert not [result for result in results if isinstance(result, BaseException)]
    assert credit_of(database, "a").reservations.keys() == {"raw", "six"}


async def test_a_stream_with_an_event_that_we_cannot_read_fails_alone(database: Database) -> None:
    """A newer build wrote it. Its account is not served here; all others are."""
    async with running(database.writer) as ledger:
        await ledger.append_raw("credit-new", [NewEvent(1, "credit.granted.v9", b"{}")])
        await ledger.append_raw("credit-odd", [NewEvent(1, "credit.granted.v2", b"not json")])
        results = await together(
            database,
            ledger,
            [
                lambda ledger: credit(ledger, "a", grant("lot", 10)),
                lambda ledger: credit(ledger, "new", grant("lot", 10)),
                lambda ledger: credit(ledger, "odd", grant("lot", 10)),
                lambda ledger: credit(ledger, "b", grant("lot", 10)),
            ],
        )
        assert [isinstance(result, BaseException) for result in results] == [False, True, True, False]


async def test_an_unreadable_event_that_arrives_behind_our_cache_fails_its_stream_alone(database: Database) -> None:
    """Another process, of a newer build, appends to a stream that we have cached."""
    async with running(database.writer) as ledger, running(database.writer) as newer:
        await credit(ledger, "a", grant("lot", 10))
        await newer.append_raw("credit-a", [NewEvent(2, "credit.granted.v9", b"{}")])
        results = await together(
            database,
            ledger,
            [
                lambda ledger: credit(ledger, "a", hold("r", 10)),
                lambda ledger: credit(ledger, "b", grant("lot", 10)),
            ],
        )
        assert [isinstance(result, BaseException) for result in results] == [True, False]


async def test_settles_behind_a_poisoned_one_are_recorded_once(database: Database) -> None:
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 100))
        for n in range(20):
            await credit(ledger, "a", hold(f"r{n}", 5))
        calls: list[Callable[..., Any]] = [
            lambda ledger, n=n: credit(ledger, "a", settle(f"r{n}", 5)) for n in range(20)
        ]
        results = await together(database, ledger, [*calls[:10], POISONS["NUL in a tag"], *calls[10:]])
        assert [isinstance(result, BaseException) for result in results] == [n == 10 for n in range(21)]
    assert credit_of(database, "a").posted_nusd == 0


async def test_a_metric_that_fails_fails_no_command(database: Database) -> None:
    """What was committed is answered, whatever else goes wrong in this process."""

    def on_append(commands: int, seconds: float) -> None:
        raise RuntimeError("no such metric")

    async with running(database.writer, on_append=on_append) as ledger:
        granted = await credit(ledger, "a", grant("lot", 10))
        reserved = await asyncio.gather(*(credit(ledger, "a", hold(f"r{n}", 1)) for n in range(5)))
    assert [granted.position, *(each.position for each in reserved)] == [1, 2, 3, 4, 5, 6]
