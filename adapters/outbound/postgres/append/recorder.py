"""The eventsourcing library's recorder on our log: its readers and subscriptions are unchanged, its inserts go through
the group commit (docs/explanation/architecture.md#the-write-path). For outside programs, and to run the library's own
tests on our log."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Thread

from eventsourcing.persistence import IntegrityError, ProgrammingError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from adapters.outbound.postgres.append.append_batch import NewEvent
from adapters.outbound.postgres.append.ledger import PostgresLedger
from domain.errors import DomainError

SCHEMA = "ledger"


class LedgerThread:
    """A PostgresLedger on an event loop of its own, for callers that are not asynchronous."""

    def __init__(self, info: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="ledger", daemon=True)
        self._thread.start()
        self.ledger = asyncio.run_coroutine_threadsafe(self._make(info), self._loop).result()
        self._running: Future[None] = asyncio.run_coroutine_threadsafe(self.ledger.run(), self._loop)

    async def _make(self, info: str) -> PostgresLedger:
        return PostgresLedger(info)

    def append(self, stream: str, events: Sequence[NewEvent]) -> int:
        """Position of the first event. Raises: DomainError stale_stream."""
        return asyncio.run_coroutine_threadsafe(self.ledger.append_raw(stream, events), self._loop).result()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.ledger.close(), self._loop).result()
        self._running.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class LedgerRecorder(PostgresApplicationRecorder):
    """Raises the library's own errors: IntegrityError for a conflict, ProgrammingError for an unsupported call."""

    def __init__(self, datastore: PostgresDatastore, ledger: LedgerThread) -> None:
        if datastore.enable_db_functions:
            raise ProgrammingError("POSTGRES_ENABLE_DB_FUNCTIONS loses events to followers: leave it off")
        if datastore.originator_id_type != "text" or datastore.schema != SCHEMA:
            raise ProgrammingError(f'the ledger has originator_id_type="text" and schema="{SCHEMA}"')
        super().__init__(datastore, events_table_name="stored_events")
        self._ledger = ledger

    def create_table(self) -> None:
        """Does nothing: migrations make the table."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: object) -> Sequence[int] | None:
        """One decision, one stream: events of several originators are refused.

        Raises: IntegrityError if a version exists already or the versions are not consecutive.
        """
        if not stored_events:
            return []
        streams: dict[str, list[NewEvent]] = defaultdict(list)
        for event in stored_events:
            streams[str(event.originator_id)].append(
                NewEvent(event.originator_version, event.topic, bytes(event.state))
            )
        if len(streams) > 1:
            raise ProgrammingError("the ledger appends to one stream at a time")
        ((stream, events),) = streams.items()
        if [e.version for e in events] != list(range(events[0].version, events[0].version + len(events))):
            raise IntegrityError("versions of one stream must be consecutive")
        try:
            first = self._ledger.append(stream, events)
        except DomainError as refusal:
            raise IntegrityError(str(refusal)) from refusal
        return list(range(first, first + len(events)))
