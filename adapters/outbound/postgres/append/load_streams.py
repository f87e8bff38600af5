"""Loads streams: snapshot plus the events after it, for many streams in one query."""

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.outbound.postgres.append.stream_cache import Cached
from adapters.outbound.postgres.wire import array_params as pg
from adapters.outbound.postgres.wire.ask_server import WireConnection, rows
from domain.aggregates import CODEC
from domain.decider import AnyDecider

LOAD = "SELECT idx, version, tag, state FROM ledger.load($1, $2)"
PUT_SNAPSHOTS = "SELECT ledger.put_snapshots($1, $2, $3, $4)"

SNAPSHOT_EVERY = 500
"""Events of a stream between snapshots: a cold load folds at most this many, about 2 ms."""

LOAD_TIMEOUT_S = 30.0
"""A stream without snapshots may be long: a million events take the server about two seconds."""

NO_SCHEMA = -1
"""No snapshot has this schema, so the stream loads from genesis."""

_decoders: dict[str, msgspec.json.Decoder[Any]] = {}


def decode_snapshot(decider: AnyDecider, state: bytes) -> Any:
    decoder = _decoders.get(decider.name)
    if decoder is None:
        decoder = _decoders[decider.name] = msgspec.json.Decoder(decider.state_type)
    return decoder.decode(state)


async def load_streams(connection: WireConnection, wanted: Mapping[str, AnyDecider]) -> dict[str, Cached]:
    """Fold each stream of `wanted` as the log has it now; an empty stream is at version 0 in its initial state.

    Raises: UnknownTag or msgspec.DecodeError for an event that this build cannot read.
    """
    loaded, unreadable = await _load(connection, wanted, {s: decider.state_schema for s, decider in wanted.items()})
    if unreadable:  # a snapshot is a cache: without it the answer is the same
        again = {stream: wanted[stream] for stream in unreadable}
        loaded |= (await _load(connection, again, dict.fromkeys(again, NO_SCHEMA)))[0]
    return loaded


async def _load(
    connection: WireConnection, wanted: Mapping[str, AnyDecider], schemas: Mapping[str, int]
) -> tuple[dict[str, Cached], set[str]]:
    """The streams, and the names of those with a snapshot that cannot be decoded."""
    streams = list(wanted)
    loaded = {stream: Cached(0, decider.initial) for stream, decider in wanted.items()}
    unreadable: set[str] = set()
    result = await connection.ask(LOAD, [pg.texts(streams).data, pg.int4s(list(schemas.values())).data], LOAD_TIMEOUT_S)
    for idx, version, tag, state in rows(result):
        assert idx and version and state is not None  # columns of ledger.load
        stream, at = streams[int.from_bytes(idx, "big") - 1], int.from_bytes(version, "big", signed=True)
        if stream in unreadable:
            continue
        decider, cached = wanted[stream], loaded[stream]
        if tag is not None:
            event = CODEC.decode(tag.decode(), state)
            loaded[stream] = cached._replace(version=at, state=decider.evolve(cached.state, event))
            continue
        try:
            loaded[stream] = Cached(at, decode_snapshot(decider, state), at)
        except msgspec.DecodeError:
            unreadable.add(stream)
    return loaded, unreadable


async def put_snapshots(
    connection: WireConnection, due: Mapping[str, tuple[AnyDecider, Cached]], timeout_s: float
) -> None:
    """Store snapshots; an older one never replaces a newer one of the same schema."""
    deciders = [decider for decider, _ in due.values()]
    states = [cached for _, cached in due.values()]
    parameters = [
        pg.texts(list(due)),
        pg.int8s([cached.version for cached in states]),
        pg.int4s([decider.state_schema for decider in deciders]),
        pg.byteas([msgspec.json.encode(cached.state) for cached in states]),
    ]
    await connection.ask(PUT_SNAPSHOTS, [parameter.data for parameter in parameters], timeout_s)
