"""Results of earlier commands, read from the log by command id."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from adapters.outbound.postgres.append.append_batch import Seen
from adapters.outbound.postgres.append.pending import Pending
from adapters.outbound.postgres.wire import array_params as pg
from adapters.outbound.postgres.wire.ask_server import WireConnection, integer, rows
from application.ports.ledger import Recorded
from domain.aggregates import CODEC
from domain.errors import DomainError
from domain.event import Event

RECALL = "SELECT command_id, first_position, last_position FROM ledger.commands WHERE command_id = ANY ($1::uuid[])"

EVENTS = (
    "SELECT s.idx::int4, e.topic, e.state FROM unnest($1::int8[], $2::int8[]) WITH ORDINALITY AS s(first, last, idx)"
    " JOIN ledger.stored_events e ON e.notification_id BETWEEN s.first AND s.last ORDER BY e.notification_id"
)


class Span(NamedTuple):
    """Positions of a command's events in the log; None for a command without events."""

    first: int | None
    last: int | None


async def recall_commands(
    connection: WireConnection, command_ids: Sequence[UUID], timeout_s: float
) -> dict[UUID, Recorded]:
    """Results by command id; ids that were never recorded are missing."""
    result = await connection.ask(RECALL, [pg.uuids([command_id.bytes for command_id in command_ids]).data], timeout_s)
    spans = {UUID(bytes=bytes(row[0] or b"")): Span(integer(row[1]), integer(row[2])) for row in rows(result)}
    events = await _events(connection, list(spans.values()), timeout_s)
    return {
        command_id: Recorded(tuple(found), span.last or 0, seen_before=True)
        for (command_id, span), found in zip(spans.items(), events, strict=True)
    }


async def answer_seen(connection: WireConnection, pending: Pending, seen: Seen, timeout_s: float) -> None:
    """The command was recorded before: by this process, which lost the reply, or by an earlier caller with its id."""
    if seen.input_hash != pending.input_hash:
        pending.refuse(DomainError("command_id_reused", command_id=str(pending.command_id)))
        return
    position = seen.last_position or 0
    if pending.raw:  # the caller has the events, and their tags may be unknown here
        pending.resolve(Recorded((), position))
        return
    (events,) = await _events(connection, [Span(seen.first_position, seen.last_position)], timeout_s)
    pending.resolve(Recorded(tuple(events), position, seen_before=seen.submission != pending.submission))


async def _events(connection: WireConnection, spans: Sequence[Span], timeout_s: float) -> list[list[Event]]:
    """The events of each span."""
    events: list[list[Event]] = [[] for _ in spans]
    parameters = [pg.int8s([s.first or 1 for s in spans]), pg.int8s([s.last or 0 for s in spans])]
    result = await connection.ask(EVENTS, [parameter.data for parameter in parameters], timeout_s)
    for idx, tag, state in rows(result):
        assert idx and tag and state is not None  # columns of stored_events
        events[int.from_bytes(idx, "big") - 1].append(CODEC.decode(tag.decode(), state))
    return events
