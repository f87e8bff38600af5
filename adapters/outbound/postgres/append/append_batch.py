"""One group commit: many commands in, one call of ledger.append, one outcome for each command out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from adapters.outbound.postgres.wire import array_params as pg
from adapters.outbound.postgres.wire.ask_server import integer
from application.ports.answers import StoredAnswer
from domain.claim import Claim

ARRAYS = 23
APPEND = "SELECT * FROM ledger.append(" + ", ".join(["%b"] * ARRAYS) + ")"  # noqa: S608 - placeholders only
PREPARED_APPEND = "SELECT * FROM ledger.append(" + ", ".join(f"${n}" for n in range(1, ARRAYS + 1)) + ")"  # noqa: S608

MAX_MISSED = 256
"""Missed events that one append returns for stale streams; ledger.append has the same number. Its result must fit into
socket buffers: a process that stops while it receives would keep the head locked for all others."""


class NewEvent(NamedTuple):
    """An event as it will be stored."""

    version: int
    tag: str
    state: bytes


class Submission(NamedTuple):
    """One command's part of a batch. A refusal has no events: the append only checks its id and its stream."""

    command_id: UUID
    submission: bytes
    input_hash: bytes
    stream: str
    expected: int
    events: Sequence[NewEvent]
    is_refusal: bool = False
    correlation_id: UUID | None = None
    claims: Sequence[Claim] = ()
    releases: Sequence[Claim] = ()
    answer: StoredAnswer | None = None


class Seen(NamedTuple):
    """The command id was recorded before; positions are None if it had nothing to do."""

    input_hash: bytes
    submission: bytes
    first_position: int | None
    last_position: int | None


class BatchOutcome(NamedTuple):
    """The outcome of a batch; indices count its submissions from 0.

    first_position:  per recorded command (None: no events).
    stale:           to be decided again; `missed` has the events that their streams gained since they were loaded.
    busy:            another session has a turn on their streams; to be sent again unchanged.
    is_cut:          more events were missed than returned: stale streams must be loaded again.
    """

    recorded: dict[int, int | None]
    seen: dict[int, Seen]
    claimed: dict[int, str]
    stale: list[int]
    busy: list[int]
    missed: dict[str, list[NewEvent]]
    is_cut: bool = False


def parameters(batch: Sequence[Submission], in_turn: frozenset[str] = frozenset()) -> list[pg.ArrayParam]:
    """The arrays of ledger.append, in its order. Each stream's `expected` is that of its first submission."""
    streams: dict[str, int] = {}
    expected: list[int] = []
    for s in batch:
        if s.stream not in streams:
            streams[s.stream] = len(streams) + 1
            expected.append(s.expected)
    events = [(i, s, e) for i, s in enumerate(batch, 1) for e in s.events]
    command_ids = [s.command_id.bytes for s in batch]
    return [
        pg.uuids(command_ids),
        pg.byteas([s.input_hash for s in batch]),
        pg.uuids([s.submission for s in batch]),
        pg.int4s([streams[s.stream] for s in batch]),
        pg.bools([s.is_refusal for s in batch]),
        pg.texts(list(streams)),
        pg.int8s(expected),
        pg.bools([stream in in_turn for stream in streams]),
        pg.int4s([i for i, _, _ in events]),
        pg.uuids([command_ids[i - 1] for i, _, _ in events]),
        pg.texts([s.stream for _, s, _ in events]),
        pg.int8s([e.version for _, _, e in events]),
        pg.texts([e.tag for _, _, e in events]),
        pg.byteas([e.state for _, _, e in events]),
        pg.uuids_or_nulls([s.correlation_id for _, s, _ in events]),
        *_claims(batch),
        *_answers(batch),
    ]


def _claims(batch: Sequence[Submission]) -> Sequence[pg.ArrayParam]:
    rows = [
        (i, claim, is_release)
        for i, s in enumerate(batch, 1)
        if (s.claims or s.releases) and not s.is_refusal
        for claims, is_release in ((s.claims, False), (s.releases, True))
        for claim in claims
    ]
    if not rows:
        return _NO_CLAIMS
    return [
        pg.int4s([i for i, _, _ in rows]),
        pg.texts([claim.kind for _, claim, _ in rows]),
        pg.byteas([claim.hash for _, claim, _ in rows]),
        pg.bools([is_release for _, _, is_release in rows]),
    ]


def _answers(batch: Sequence[Submission]) -> Sequence[pg.ArrayParam]:
    rows: list[tuple[int, StoredAnswer]] = [
        (i, s.answer) for i, s in enumerate(batch, 1) if s.answer is not None and not s.is_refusal
    ]
    if not rows:
        return _NO_ANSWERS
    accounts: list[str] = [answer.account_id for _, answer in rows]
    expiries: list[datetime] = [answer.expires_at for _, answer in rows]
    return [
        pg.int4s([i for i, _ in rows]),
        pg.texts(accounts),
        pg.byteas([answer.sealed for _, answer in rows]),
        pg.timestamps(expiries),
    ]


_NO_CLAIMS = (pg.int4s([]), pg.texts([]), pg.byteas([]), pg.bools([]))
_NO_ANSWERS = (pg.int4s([]), pg.texts([]), pg.byteas([]), pg.timestamps([]))


def outcome(batch: Sequence[Submission], rows: Iterable[Sequence[bytes | None]]) -> BatchOutcome:
    """Read the binary rows of ledger.append: one if all is recorded, else one per command and per missed event."""
    result = BatchOutcome({}, {}, {}, [], [], {})
    streams = list(dict.fromkeys(s.stream for s in batch))
    missed = 0
    for kind, idx, first, last, tag, payload, submission in rows:
        i = int.from_bytes(idx or b"", "big") - 1
        if kind == b"recorded" and i < 0:
            return result._replace(recorded=_consecutive(batch, integer(first) or 0))
        if kind == b"recorded":
            result.recorded[i] = integer(first)
        elif kind == b"seen":
            result.seen[i] = Seen(payload or b"", bytes(submission or b""), integer(first), integer(last))
        elif kind == b"claimed":
            result.claimed[i] = (tag or b"").decode()
        elif kind == b"stale":
            result.stale.append(i)
        elif kind == b"busy":
            result.busy.append(i)
        else:
            missed += 1
            result.missed.setdefault(streams[i], []).append(
                NewEvent(integer(first) or 0, (tag or b"").decode(), payload or b"")
            )
    return result._replace(is_cut=missed >= MAX_MISSED)


def _consecutive(batch: Sequence[Submission], position: int) -> dict[int, int | None]:
    firsts: dict[int, int | None] = {}
    for i, s in enumerate(batch):
        firsts[i] = position if s.events else None
        position += len(s.events)
    return firsts
