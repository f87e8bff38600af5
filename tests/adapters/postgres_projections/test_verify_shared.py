"""However the work of `verify` is cut and shared, the verdict is the same; a share that was not done is no verdict."""

from itertools import pairwise

import pytest

from adapters.outbound.postgres.verify import pin_snapshot
from adapters.outbound.postgres.verify.cut_log import cut_log
from adapters.outbound.postgres.verify.examine_ledger import pinned_evidence
from adapters.outbound.postgres.verify.pin_snapshot import pinned
from application.audit.verify_ledger import verify_ledger
from domain.proof.finding import Finding
from tests.rigs.databases import Database
from tests.rigs.postgres.verifying import WholeLedger, verdict

UNLOCK = (
    "ALTER TABLE ledger.stored_events DISABLE TRIGGER append_only",
    "ALTER TABLE ledger.blocks DISABLE TRIGGER append_only",
    "ALTER TABLE ledger.commands DISABLE TRIGGER append_only",
    "DROP INDEX ledger.stored_events_notification_id_idx",
)
DAMAGES = (
    "UPDATE ledger.stored_events SET state = state || ' ' WHERE notification_id = 60",
    "UPDATE ledger.stored_events SET recorded_at = recorded_at - interval '1 day' WHERE notification_id = 61",
    "UPDATE ledger.stored_events SET originator_version = originator_version + 1000 WHERE notification_id = 70",
    "UPDATE ledger.stored_events SET topic = 'credit.invented.v1' WHERE notification_id = 80",
    "DELETE FROM ledger.stored_events WHERE notification_id = 50",
    "DELETE FROM ledger.stored_events WHERE notification_id > 90",
    "INSERT INTO ledger.stored_events SELECT originator_id || 'x', originator_version, topic, state, notification_id,"
    " recorded_at, command_id, correlation_id FROM ledger.stored_events WHERE notification_id = 40",
    "UPDATE ledger.stored_events SET notification_id = notification_id - 1000 WHERE notification_id = 1",
    "UPDATE ledger.blocks SET chain = sha256(chain) WHERE first_position > 30",
    "UPDATE ledger.blocks SET last_position = last_position + 10000 WHERE first_position > 30",
    "UPDATE ledger.blocks SET last_position = first_position WHERE first_position < 100",
    "DELETE FROM ledger.blocks WHERE first_position > 30",
    "DELETE FROM ledger.blocks",
    "UPDATE ledger.head SET position = position + 1",
    "UPDATE ledger.head SET position = position - 1",
    "UPDATE ledger.head SET chain = sha256(chain)",
    "DELETE FROM ledger.head",
    "UPDATE ledger.commands SET last_position = last_position + 1 WHERE first_position = 30",
    "DELETE FROM ledger.commands",
    "DELETE FROM ledger.snapshots; UPDATE ledger.head SET recorded_at = now()",
    "UPDATE read.ledger_entry_v2 SET amount_nusd = amount_nusd + 1 WHERE position > 50",
    "UPDATE read.ledger_entry_v2 SET position = -position WHERE position > 50",
    "UPDATE read.ledger_entry_v2 SET position = position + 1000000 WHERE position > 50",
    "UPDATE read.credit_lot_v2 SET burnt_nusd = burnt_nusd + 1",
    "DELETE FROM read.generation_reserve_v1 WHERE position > 90",
    "DELETE FROM read.parked; UPDATE read.positions SET position = 55",
    "UPDATE read.positions SET position = position + 50",
)


def findings(database: Database, processes: int, stretch: int) -> list[Finding]:
    with pinned_evidence(database.auditor, processes, stretch) as evidence:
        return list(verify_ledger(evidence, max_lag_s=3_600).findings)


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_way_to_cut_the_log_finds_the_same(ledger: WholeLedger, damage: str) -> None:
    database = ledger.database
    for statement in (*UNLOCK, *damage.split("; ")):
        database.sql(statement)
    whole = findings(database, 1, 1_000_000)
    assert whole
    for stretch in (1, 7, 40, 100):
        cut = findings(database, 1, stretch)
        assert cut[0] == whole[0], stretch
        assert [(found.check, found.position) for found in cut] == [(found.check, found.position) for found in whole]


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_however_many_processes_find_the_same(ledger: WholeLedger, processes: int) -> None:
    database = ledger.database
    assert findings(database, processes, 20) == []
    for statement in (*UNLOCK, *DAMAGES[:2], DAMAGES[17], *DAMAGES[20:21], *DAMAGES[23:25]):
        database.sql(statement)
    whole = findings(database, 1, 1_000_000)
    assert {finding.check for finding in whole} >= {"chain", "commands", "read_models"}
    assert findings(database, processes, 20) == whole


def test_a_damage_is_found_in_whichever_stretch_it_falls(ledger: WholeLedger) -> None:
    database, events = ledger
    with pinned(database.auditor) as connection:
        stretches = list(cut_log(connection, len(events), 20))
    assert len(stretches) > 5
    for statement in UNLOCK:
        database.sql(statement)
    store = "UPDATE ledger.stored_events SET state = %s WHERE notification_id = %s"
    for at in {at for stretch in stretches for at in (stretch.after.position + 1, stretch.upto or len(events))}:
        ((state,),) = database.sql("SELECT state FROM ledger.stored_events WHERE notification_id = %s", at)
        database.sql(store, state + b" ", at)
        (found,) = findings(database, 1, 20)
        own = [event.position for event in events if event.command_id == events[at - 1].command_id]
        assert (found.check, found.position) == ("chain", own[0])
        database.sql(store, state, at)
    assert findings(database, 1, 20) == []


def test_a_row_is_found_in_whichever_stretch_it_falls(ledger: WholeLedger) -> None:
    database, _ = ledger
    rows = database.sql("SELECT position, line FROM read.ledger_entry_v2 ORDER BY 1, 2")
    add = "UPDATE read.ledger_entry_v2 SET amount_nusd = amount_nusd + %s WHERE (position, line) = (%s, %s)"
    for position, line in rows[::9]:
        database.sql(add, 1, position, line)
        places = [(finding.position, finding.place) for finding in findings(database, 1, 10)]
        assert (position, f"read.ledger_entry_v2 position={position}, line={line}, column amount_nusd") in places
        database.sql(add, -1, position, line)
    assert verdict(database).is_clean


def test_a_row_that_is_there_twice_is_found(ledger: WholeLedger) -> None:
    database = ledger.database
    database.sql("ALTER TABLE read.generation_end_v1 DROP CONSTRAINT generation_end_v1_pkey")
    ((at,),) = database.sql("SELECT max(position) FROM read.generation_end_v1")
    database.sql("INSERT INTO read.generation_end_v1 SELECT * FROM read.generation_end_v1 WHERE position = %s", at)
    (found, *_) = findings(database, 1, 20)
    assert (found.position, found.message) == (at, "no event accounts for this row")


def test_stretches_are_the_whole_log(ledger: WholeLedger) -> None:
    database, events = ledger
    with pinned(database.auditor) as connection:
        for length in (1, 13, len(events) - 1, len(events), 10_000):
            stretches = list(cut_log(connection, len(events), length))
            assert stretches[0].after.position == 0 and stretches[-1].upto is None
            for one, next_ in pairwise(stretches):
                assert one.upto == next_.after.position > one.after.position


NO_ROOM = "DO $$ BEGIN RAISE EXCEPTION 'could not write to file' USING ERRCODE = 'disk_full'; END $$"


def test_p7_without_room_for_a_snapshots_file_the_work_is_done_in_one_process(
    ledger: WholeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is when an operator asks `verify` whether anything was lost."""
    database = ledger.database
    database.sql("UPDATE read.credit_lot_v2 SET burnt_nusd = burnt_nusd + 1")
    expected = findings(database, 1, 1_000)
    assert expected
    monkeypatch.setattr(pin_snapshot, "EXPORT", NO_ROOM)
    assert findings(database, 2, 1_000) == expected
