"""The sequence of an event: if an event cannot be projected, its sequence stops and the others go on
(docs/explanation/projections.md)."""

import msgspec

from domain.aggregates import AGGREGATES
from domain.event import Event


class _Owned(msgspec.Struct):
    account_id: str


_OWNED = msgspec.json.Decoder(_Owned)


def account_of(stream: str, event: Event | bytes) -> str:
    """The account of the event; the stream itself if neither its name nor the event holds an account id.

    event: decoded, or the stored state of one that could not be decoded.
    """
    prefix, _, owner_id = stream.partition("-")
    decider = AGGREGATES.get(prefix)
    if decider is not None and decider.has_account_streams:
        return owner_id
    if isinstance(event, bytes):
        return _account_in(event) or stream
    return getattr(event, "account_id", stream)


def _account_in(state: bytes) -> str | None:
    try:
        return _OWNED.decode(state).account_id
    except msgspec.DecodeError:
        return None
