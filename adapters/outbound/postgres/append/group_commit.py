"""The one loop that writes: commands that arrive while an append is in flight form the next batch.

A batch decides every command on the newest state this process knows, one after the other, so commands on one stream
never conflict within a process; another process's events come back with the stale stream, and only its commands are
decided again (docs/explanation/architecture.md#the-write-path).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import TypedDict

import psycopg
import structlog

from adapters.outbound.postgres.append.append_batch import PREPARED_APPEND, BatchOutcome, outcome, parameters
from adapters.outbound.postgres.append.busy_streams import BusyStreams
from adapters.outbound.postgres.append.decide_batch import DecidedBatch
from adapters.outbound.postgres.append.load_streams import load_streams
from adapters.outbound.postgres.append.notify_followers import Notifier
from adapters.outbound.postgres.append.pending import Pending, choose_batch
from adapters.outbound.postgres.append.recall_commands import answer_seen
from adapters.outbound.postgres.append.store_snapshots import SnapshotsDue
from adapters.outbound.postgres.append.stream_cache import Cached, StreamCache, caught_up
from adapters.outbound.postgres.append.take_turn import StreamLocks
from adapters.outbound.postgres.wire.ask_server import LOST, WireConnection, is_passing, rows
from application.ports.ledger import Recorded
from domain.decider import AnyDecider
from domain.errors import DomainError

MAX_BATCH = 500
"""Commands per append: beyond it throughput no longer grows, while the head stays locked longer."""

MAX_QUEUE = 5_000
"""Waiting commands above which new reserves are shed: about a second of work; settles are never refused."""

STALE_ROUNDS_BEFORE_TURN = 3
TRIES_IN_TURN = 3
LATENESS_S = 0.1
"""Callers whose patience is over are looked for this often, while any waits: a timer for each would cost more."""

BUSY_PAUSE_S = 0.002
"""Pause before the next try when other sessions have a turn on every stream of the batch: they get the database."""

APPEND_TIMEOUT_S = 5.0
"""An append that has not answered by then is on a dead connection: drop the connection and send the commands again."""

RETRY_PAUSES_S = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Pauses after one, two ... failures in a row; the last one repeats."""

NO_SCANS = "SELECT set_config('enable_seqscan', 'off', false)"
"""An append only looks rows up, and its plan is kept until the next analyze: a plan made while a table was nearly empty
must not scan that table a minute and a hundred thousand events later."""

log = structlog.get_logger()


class Options(TypedDict, total=False):
    """Options of GroupCommit, which PostgresLedger passes on."""

    max_batch: int
    max_queue: int
    cache: StreamCache | None
    on_append: Callable[[int, float], None]
    append_timeout_s: float


class GroupCommit:
    """Serves one event loop. `run` must be running (a task) for anything to be written.

    cache:      states of recently written streams; only tests pass one.
    on_append:  called after each append with the number of commands and the seconds it took.
    """

    def __init__(
        self,
        info: str,
        *,
        max_batch: int = MAX_BATCH,
        max_queue: int = MAX_QUEUE,
        cache: StreamCache | None = None,
        on_append: Callable[[int, float], None] = lambda commands, seconds: None,
        append_timeout_s: float = APPEND_TIMEOUT_S,
    ) -> None:
        self._info = info
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._cache = StreamCache() if cache is None else cache
        self._on_append = on_append
        self._append_timeout_s = append_timeout_s
        self._queue: deque[Pending] = deque()
        self._in_flight: list[Pending] = []
        self._arrived = asyncio.Event()
        self._connection: WireConnection | None = None
        self._turns = StreamLocks(info)
        self._notifier = Notifier(info)
        self._snapshots = SnapshotsDue(self._cache)
        self.busy = BusyStreams()
        self._next_look: asyncio.TimerHandle | None = None
        self._failures = 0  # in a row
        self._closing = False
        self._has_ended = False

    async def submit(self, pending: Pending) -> Recorded:
        """Returns after the commit. Raises: DomainError overloaded, ledger_unavailable, or the command's refusal."""
        if pending.waiting.sheddable and (len(self._queue) >= self._max_queue or self._closing):
            raise DomainError("overloaded", retry_after_s=1)
        if self._has_ended:
            raise DomainError("ledger_unavailable", retry_after_s=1)
        self._queue.append(pending)
        self._arrived.set()
        if pending.waiting.patience_s is not None:
            self._watch(pending, pending.waiting.patience_s)
        return await pending.future

    @property
    def queued(self) -> int:
        return len(self._queue)

    # ---- callers that do not wait for ever

    def _watch(self, pending: Pending, patience_s: float) -> None:
        loop = pending.future.get_loop()
        pending.due_s = loop.time() + patience_s
        if self._next_look is None:
            self._next_look = loop.call_later(LATENESS_S, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting = [p for p in (*self._in_flight, *self._queue) if p.due_s is not None and not p.future.done()]
        now_s = loop.time()
        for pending in waiting:
            pending.stop_waiting_if_due(now_s)
        is_needed = any(not pending.future.done() for pending in waiting)
        self._next_look = loop.call_later(LATENESS_S, self._look, loop) if is_needed else None

    # ---- life cycle

    async def run(self) -> None:
        """Append batches until `close`, then until the queue is empty. All others fail with `ledger_unavailable`."""
        notifying = asyncio.create_task(self._notifier.run())
        try:
            while not (self._closing and not self._queue):
                if not self._queue:
                    self._arrived.clear()
                    await self._arrived.wait()
                    continue
                await self._append_next()
                if self._snapshots.are_wanted(is_idle=not self._queue):
                    await self._store_snapshots()
        finally:
            self._refuse_queued()
            notifying.cancel()
            await asyncio.gather(notifying, return_exceptions=True)

    async def close(self) -> None:
        """Shed new reserves and let `run` end once everything queued is answered."""
        self._closing = True
        self._arrived.set()

    def _refuse_queued(self) -> None:
        self._has_ended = True
        left = [pending for pending in (*self._in_flight, *self._queue) if not pending.is_answered]
        if left:
            log.error("stopped with commands that could not be appended: given up", commands=len(left))
        for pending in left:
            pending.refuse(DomainError("ledger_unavailable", retry_after_s=1))
        self._queue.clear()
        if self._next_look is not None:
            self._next_look.cancel()
        self._hang_up()
        self._turns.close()

    # ---- one batch

    async def _append_next(self) -> None:
        batch, in_turn = self._next_batch()
        if not batch:
            return
        self._in_flight = batch
        try:
            if in_turn is None:
                self._put_back(await self._append(batch))
            else:
                self._put_back(await self._append_in_turn(batch, in_turn))
        except Exception as error:  # noqa: BLE001 - any error must fail the command that caused it, and no other command
            for pending in batch:
                self._cache.drop(pending.stream)
            if is_passing(error):
                await self._try_again(batch, error)
            else:
                self._isolate(batch, error)
        self._in_flight = []

    def _next_batch(self) -> tuple[list[Pending], str | None]:
        """The next batch, and the stream that needs a turn, if any: then the batch has only commands on that stream."""
        batch = choose_batch(self._queue, self._max_batch)
        contended = next((p.stream for p in batch if p.rounds >= STALE_ROUNDS_BEFORE_TURN), None)
        if contended is None:
            return batch, None
        self._put_back([p for p in batch if p.stream != contended])
        return [p for p in batch if p.stream == contended], contended

    async def _append_in_turn(self, batch: list[Pending], stream: str) -> list[Pending]:
        """Serve `stream` while no other session appends to it: a conflict can delay a command, never refuse it.

        Returns: commands to try again, normally none: a first try may be stale and then gets the events it missed.
        """
        async with self._turns.take(stream) as is_ours:
            for _ in range(TRIES_IN_TURN if is_ours else 0):
                batch = await self._append(batch, frozenset({stream}))
                if not batch:
                    return []
        if not is_ours:
            self.busy.note(stream)
        self._cache.drop(stream)
        for pending in batch:
            pending.rounds = 0
        return batch

    async def _append(self, batch: list[Pending], in_turn: frozenset[str] = frozenset()) -> list[Pending]:
        """Returns: the stale and the busy commands, in their order."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        connection = await self._open()
        bases = await self._bases(connection, batch)
        decided = DecidedBatch(bases, batch)
        arrays = [array.data for array in parameters(decided.submissions, in_turn)]
        for pending in batch:
            pending.sent = True
        result = outcome(
            decided.submissions, rows(await connection.ask(PREPARED_APPEND, arrays, self._append_timeout_s))
        )
        self._failures = 0
        self._conclude(batch, decided, result)
        self._notifier.appended()
        self._on_append(len(batch), loop.time() - started)
        if len(result.recorded) == len(batch):
            return []
        return await self._sort_out(connection, batch, bases, result)

    async def _open(self) -> WireConnection:
        """A new connection may lead to a log that was restored to an earlier state: so all cached states are dropped.
        (The version check alone is not enough: a restored stream may have reached the same version again.)"""
        if self._connection is None or self._connection.is_closed:
            self._connection = await WireConnection.open(self._info, self._append_timeout_s)
            self._cache.clear()
            self._snapshots.forget()
            await self._connection.ask(NO_SCANS, [], self._append_timeout_s)
        return self._connection

    async def _bases(self, connection: WireConnection, batch: list[Pending]) -> dict[str, Cached]:
        """The newest state known here of each stream that the batch decides on."""
        bases: dict[str, Cached] = {}
        cold: dict[str, AnyDecider] = {}
        for pending in batch:
            if pending.decider is None or pending.stream in bases:
                continue
            cached = self._cache.get(pending.stream)
            if cached is None:
                cold[pending.stream] = pending.decider
            else:
                bases[pending.stream] = cached
        if cold:
            bases |= await load_streams(connection, cold)
        return bases

    def _conclude(self, batch: list[Pending], decided: DecidedBatch, result: BatchOutcome) -> None:
        """Answer the recorded commands and cache the states after them."""
        good = {batch[i].stream for i in result.recorded}
        self.busy.forget(good)
        for stream, cached in decided.states.items():
            if stream in good:
                self._cache.put(stream, cached)
                self._snapshots.consider(stream, cached)
        for i, first in result.recorded.items():
            decided.answer(i, batch[i], first)

    async def _sort_out(
        self, connection: WireConnection, batch: list[Pending], bases: Mapping[str, Cached], result: BatchOutcome
    ) -> list[Pending]:
        """Answer all other final commands and apply missed events; returns the commands that are not final."""
        for i, kind in result.claimed.items():
            batch[i].refuse(DomainError("claim_taken", kind=kind))
        for i, seen in result.seen.items():
            await answer_seen(connection, batch[i], seen, self._append_timeout_s)
        self._catch_up(batch, bases, result)
        for i in result.stale:
            batch[i].rounds += 1
            if batch[i].raw:  # cannot be decided again
                batch[i].refuse(DomainError("stale_stream", stream=batch[i].stream))
        for i in result.busy:
            self.busy.note(batch[i].stream)
        if len(result.busy) == len(batch):
            await asyncio.sleep(BUSY_PAUSE_S)
        return [batch[i] for i in sorted((*result.stale, *result.busy)) if not batch[i].is_answered]

    def _catch_up(self, batch: list[Pending], bases: Mapping[str, Cached], result: BatchOutcome) -> None:
        deciders = {batch[i].stream: batch[i].decider for i in result.stale}
        for stream, decider in deciders.items():
            if decider is None or result.is_cut:
                self._cache.drop(stream)
            elif stream in result.missed:
                self._cache.put(stream, caught_up(decider, bases[stream], result.missed[stream]))

    def _put_back(self, pendings: list[Pending]) -> None:
        self._queue.extendleft(reversed([p for p in pendings if not p.is_answered]))

    async def _store_snapshots(self) -> None:
        """Snapshots are a cache, so a failed write is only logged."""
        if self._connection is None:
            return
        try:
            await self._snapshots.store(self._connection, self._append_timeout_s)
        except (psycopg.Error, *LOST) as error:
            log.warning("snapshots not stored", error=f"{type(error).__name__}: {error}")

    # ---- when the database fails

    async def _try_again(self, batch: list[Pending], error: Exception) -> None:
        """It is unknown whether the batch was committed. Send it again: the append first looks up every command id,
        so a recorded command returns its own first result (P5)."""
        pause_s = RETRY_PAUSES_S[min(self._failures, len(RETRY_PAUSES_S) - 1)]
        self._failures += 1
        log.warning("append failed, asking again", commands=len(batch), error=f"{type(error).__name__}: {error}")
        self._hang_up()
        self._put_back(batch)
        await asyncio.sleep(pause_s)

    def _isolate(self, batch: list[Pending], error: Exception) -> None:
        """This batch cannot be appended: find the faulty command by trying each alone."""
        log.error("append refused", commands=len(batch), error=f"{type(error).__name__}: {error}")
        if len(batch) == 1:
            batch[0].refuse(error)
            return
        for pending in batch:
            pending.goes_alone = True
        self._put_back(batch)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
