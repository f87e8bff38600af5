"""P4, P5: the append is one thing: batches, processes, caches and snapshots change what it costs, never what it does.

One workload is decided in memory, by nothing but the deciders and a table of command ids, and then by the ledger in
each of its configurations. Every caller must be told the same and every stream must hold the same.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from adapters.outbound.postgres.append import store_snapshots
from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.append.stream_cache import StreamCache
from domain.account.account import ACCOUNT, ChangeState, Open
from domain.aggregates import CODEC
from domain.command_ids import named_id
from domain.credit.decider import CREDIT
from domain.decider import Decider
from domain.errors import DomainError
from domain.event import Command
from tests.domain.credit_words import (
    DAY,
    NOW,
    exactly,
    expire,
    expire_lot,
    extend,
    grant,
    hold,
    per,
    record_attempt,
    release,
    reserve,
    settle,
    tokens,
)
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import assert_sound, chance, folds, running

STREAMS = 12
COMMANDS = 45
"""Of each stream."""

Told = tuple[str, tuple[Any, ...], bool]
"""What a caller was told: the code of a refusal, events, whether they were an earlier caller's."""


class Step(NamedTuple):
    decider: Decider
    owner: str
    command: Command
    command_id: UUID

    @property
    def stream(self) -> str:
        return self.decider.stream(self.owner)


def workload(random: Random) -> dict[str, list[Step]]:
    """The steps of each stream, in the order in which they are taken; about one in eight repeats an earlier one."""
    steps: dict[str, list[Step]] = {}
    for n in range(STREAMS):
        decider = ACCOUNT if n % 4 == 3 else CREDIT
        own = steps[decider.stream(f"acc{n}")] = []
        for i in range(COMMANDS):
            if own and random.random() < 0.12:
                own.append(random.choice(own))
                continue
            command = any_change(random, n) if decider is ACCOUNT else any_credit(random, i)
            own.append(Step(decider, f"acc{n}", command, named_id("law", str(n), str(i))))
    return steps


def any_change(random: Random, n: int) -> Command:
    opened = Open(at=NOW, account_id=f"acc{n}", username=b"", email=b"")
    return random.choice([opened, *(ChangeState(at=NOW, state=state) for state in ("active", "suspended", "past_due"))])


def any_credit(random: Random, i: int) -> Command:
    """Amounts around 100, names few enough to be met again, time that goes on."""
    at = NOW + i * timedelta(hours=1)
    name, amount = f"r{random.randint(max(0, i - 6), i)}", random.randint(1, 60)
    if i == 0:
        return grant("first", 500, at=at)
    lot = f"lot{random.randint(0, 8)}"
    makes: list[Callable[[], Command]] = [
        lambda: grant(lot, 50 + amount, at=at),
        lambda: grant(lot, amount, "promo", at=at, expires_at=at + DAY / 4),
        lambda: hold(f"r{i}", amount, at=at),
        lambda: reserve(f"r{i}", tokens(40), at=at, key_limit=per("daily", 90)),
        lambda: reserve(f"r{i}", exactly(amount), at=at, burnable=("purchased",)),
        lambda: extend(name, amount + 20, at=at),
        lambda: record_attempt(name, at=at),
        lambda: settle(name, amount, at=at, late=hold(f"late{i}", 0, at=at)),
        lambda: settle(name, amount, at=at),
        lambda: release(name, at=at),
        lambda: expire(name, at=at),
        lambda: expire_lot(lot, at=at),
    ]
    return random.choice([*makes, *makes[2:5] * 2, *makes[7:10]])()


def decided_in_memory(steps: list[Step]) -> tuple[list[Told], list[tuple[str, bytes]], Any]:
    """What the callers of one stream are told, what the stream then holds, and the state it has come to."""
    state, told, stored = steps[0].decider.initial, [], []
    first_results: dict[UUID, tuple[Any, ...]] = {}
    for step in steps:
        if step.command_id in first_results:
            told.append(("", first_results[step.command_id], True))
            continue
        try:
            events, state = step.decider.run(step.command, state)
        except DomainError as refusal:
            told.append((refusal.code, (), False))
            continue
        first_results[step.command_id] = tuple(events)
        told.append(("", tuple(events), False))
        stored += [(event.tag, CODEC.encode(event)) for event in events]
    return told, stored, state


async def tell(ledger: PostgresLedger, step: Step) -> Told:
    try:
        recorded = await ledger.transact(step.decider, step.owner, step.command, command_id=step.command_id)
    except DomainError as refusal:
        return refusal.code, (), False
    return "", recorded.events, recorded.seen_before


async def all_at_once(ledgers: list[PostgresLedger], steps: list[Step]) -> list[Told]:
    """The whole stream queues up on one process."""
    return await asyncio.gather(*(tell(ledgers[0], step) for step in steps))


async def in_turns(ledgers: list[PostgresLedger], steps: list[Step]) -> list[Told]:
    """One after the other, each on another process."""
    return [await tell(ledgers[i % len(ledgers)], step) for i, step in enumerate(steps)]


class Configuration(NamedTuple):
    processes: int = 1
    max_batch: int = 500
    max_streams: int = 20_000
    snapshot_every: int = 500
    deletes_snapshots: bool = False
    way: Callable[[list[PostgresLedger], list[Step]], Any] = all_at_once


CONFIGURATIONS = {
    "batches of 500": Configuration(),
    "batches of 1": Configuration(max_batch=1),
    "batches of 2": Configuration(max_batch=2),
    "batches of 7": Configuration(max_batch=7),
    "batches of 50": Configuration(max_batch=50),
    "one after the other": Configuration(way=in_turns),
    "a cold cache": Configuration(max_streams=0, max_batch=20),
    "a cache for three streams": Configuration(max_streams=3),
    "snapshots and a cold cache": Configuration(max_streams=0, max_batch=10, snapshot_every=3),
    "deleted snapshots": Configuration(max_streams=0, max_batch=10, snapshot_every=3, deletes_snapshots=True),
    "two processes": Configuration(processes=2, way=in_turns),
    "three processes with cold caches and snapshots": Configuration(
        processes=3, way=in_turns, max_streams=2, snapshot_every=4
    ),
}


@pytest.fixture(scope="module")
def steps() -> dict[str, list[Step]]:
    return workload(chance("equality"))


@pytest.mark.parametrize("name", CONFIGURATIONS)
async def test_every_configuration_does_the_same(
    database: Database, steps: dict[str, list[Step]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    configuration = CONFIGURATIONS[name]
    monkeypatch.setattr(store_snapshots, "SNAPSHOT_EVERY", configuration.snapshot_every)
    async with ledgers_of(database, configuration) as ledgers:
        told = await asyncio.gather(*(configuration.way(ledgers, own) for own in steps.values()))
    states = {}
    for (stream, own), heard in zip(steps.items(), told, strict=True):
        expected, stored, state = decided_in_memory(own)
        assert heard == expected, stream
        assert _stored(database, stream) == stored, stream
        states[stream] = state
    assert folds(database) == states
    assert_sound(database)
    if configuration.snapshot_every < COMMANDS and not configuration.deletes_snapshots:
        assert database.sql("SELECT count(*) > 3 FROM ledger.snapshots") == [(True,)]


@contextlib.asynccontextmanager
async def ledgers_of(database: Database, configuration: Configuration) -> AsyncIterator[list[PostgresLedger]]:
    appends = 0

    def on_append(commands: int, seconds: float) -> None:
        nonlocal appends
        appends += 1
        if configuration.deletes_snapshots and appends % 3 == 0:
            database.sql("DELETE FROM ledger.snapshots")

    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                running(
                    database.writer,
                    max_batch=configuration.max_batch,
                    cache=StreamCache(configuration.max_streams),
                    on_append=on_append,
                )
            )
            for _ in range(configuration.processes)
        ]


def test_the_workload_says_yes_no_and_again(steps: dict[str, list[Step]]) -> None:
    """Else the law above would say little."""
    told = [answer for own in steps.values() for answer in decided_in_memory(own)[0]]
    assert sum(1 for code, events, again in told if events and not again) > 150
    assert sum(1 for code, _, _ in told if code) > 50
    assert sum(1 for _, _, again in told if again) > 25
    assert sum(1 for code, events, again in told if not code and not events and not again) > 2


def _stored(database: Database, stream: str) -> list[tuple[str, bytes]]:
    rows = database.sql(
        "SELECT topic, state FROM ledger.stored_events WHERE originator_id = %s ORDER BY originator_version", stream
    )
    return [(str(tag), bytes(state)) for tag, state in rows]  # type: ignore[call-overload]
