"""A ledger that is whole, and the verdict on it after something was done to it."""

from typing import NamedTuple

import msgspec
import psycopg

from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.verify.examine_ledger import pinned_evidence
from application.audit.verify_ledger import Report, verify_ledger
from domain.aggregates import AGGREGATES
from domain.log import RecordedEvent
from domain.proof.finding import Finding
from tests.projections.append_events import append_events
from tests.projections.story import wild_story
from tests.rigs.databases import Database


class WholeLedger(NamedTuple):
    """A database in which everything is as it must be, and what its log tells."""

    database: Database
    events: list[RecordedEvent]


def whole_ledger(database: Database, seed: int) -> list[RecordedEvent]:
    """A log in blocks of one command each, its snapshots, and read models at its head."""
    print(f"story seed {seed}")
    events = wild_story(seed, steps=250)
    append_events(database.writer, events, commands_per_block=1)
    store_snapshots(database, events)
    Projector(database.projector).catch_up()
    return events


def store_snapshots(database: Database, events: list[RecordedEvent]) -> None:
    """Of every stream, two events before its end, if it is that long."""
    with psycopg.connect(database.owner, autocommit=True) as connection:
        for stream in dict.fromkeys(event.stream for event in events):
            decider = AGGREGATES[stream.partition("-")[0]]
            past = [event.event for event in events if event.stream == stream][:-2]
            if past:
                state = msgspec.json.encode(decider.fold(decider.initial, past))
                connection.execute(
                    "SELECT ledger.put_snapshots(%s::text[], %s::bigint[], %s::int[], %s::bytea[])",
                    [[stream], [len(past)], [decider.state_schema], [state]],
                )


def verdict(database: Database, max_lag_s: float = 3_600) -> Report:
    """The auditor's, who may only read. Slow machines lag; tests of lag say so."""
    with pinned_evidence(database.auditor) as evidence:
        report = verify_ledger(evidence, max_lag_s)
    for finding in report.findings:
        print(finding)
    return report


def first_finding(database: Database) -> Finding:
    found = verdict(database).first
    assert found is not None, "nothing was found"
    return found
