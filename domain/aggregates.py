"""All aggregates by stream prefix: the registry that replay, snapshots and the write path share."""

from domain.account.account import ACCOUNT
from domain.api_key.api_key import API_KEY
from domain.credit.decider import CREDIT
from domain.decider import AnyDecider
from domain.event import EventCodec

AGGREGATES: dict[str, AnyDecider] = {decider.name: decider for decider in (ACCOUNT, API_KEY, CREDIT)}

CODEC = EventCodec(kind for decider in AGGREGATES.values() for kind in decider.events)


def aggregate_of(stream: str) -> AnyDecider:
    """The decider that owns `stream` ("credit-<id>" is CREDIT's); KeyError if none does."""
    return AGGREGATES[stream.partition("-")[0]]


def owner_of(stream: str) -> str:
    """The id behind the prefix."""
    return stream.partition("-")[2]
