"""One sample per event version: `python -m tests.golden.events.samples` writes the files that do not exist yet.

A file that exists is never touched: it is what was shipped. `full` has every field set, `sparse` only those
without a default; `means` spells every field out, so that a changed default shows.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from domain.account import events as account
from domain.aggregates import CODEC
from domain.api_key import events as api_key
from domain.credit import events as credit
from domain.credit.lot import Part
from domain.event import Event
from domain.money import Nusd
from domain.pricing.quote import Quote
from domain.pricing.rate import Charge, ChargeLine
from domain.window import KeyLimit

FOLDER = Path(__file__).parent
AT = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)
LATER = datetime(2026, 11, 26, tzinfo=UTC)

KEY: dict[str, Any] = {"key_id": "key-1", "account_id": "acc-1"}
SECRET = api_key.Secret(b"\x00keyed hash\xff", "x9Zq")
SPARSE_SETTINGS = api_key.KeySettings(label=b"sealed")
SETTINGS = api_key.KeySettings(label=b"sealed", disabled=True, limit=KeyLimit(5 * 10**9, "daily"), expires_at=LATER)

NAMED = {"reservation_id": "gen-1", "key_id": "key-1"}
HOLDS = (Part("lot-1", 700), Part("lot-2", 300))
LINES = (ChargeLine("input", 1_200, 150_000_000), ChargeLine("output", 300, 600_000_000))
ATTEMPT = credit.Attempt(provider="acme", error_class="timeout", status=504, duration_ms=30_000)
ENDED: dict[str, Any] = {**NAMED, "reserved_at": AT, "reserved_nusd": 1_000}
RESERVED: dict[str, Any] = {
    **NAMED,
    "amount_nusd": 1_000,
    "holds": HOLDS,
    "quote": Quote(400_000_000, 600_000, 1_000),
    "granted_tokens": 1_000,
    "deadline_at": AT,
    "expires_at": LATER,
    "requested_model": "gatewayz/auto",
    "model": "acme/m",
    "provider": "acme",
    "price_version": "acme/m@3",
}
GENERATION = credit.Generation(
    provider="acme",
    model="acme/m",
    usage={"input": 1_200, "output": 300},
    provider_cost_nusd=300_000,
    provider_generation_id="chatcmpl-1",
    finish_reason="stop",
    ttft_ms=120,
    total_ms=900,
    streamed=True,
    estimated=True,
    quarantined=True,
    cancelled=True,
    error_class="cut",
)

FULL: tuple[Event, ...] = (
    account.Opened(
        at=AT,
        account_id="acc-1",
        username=b"sealed",
        email=b"sealed",
        state="trial",
        claims=b"sealed",
        commitment=b"\x01" * 32,
    ),
    account.StateChanged(at=AT, account_id="acc-1", state="past_due", reason=b"sealed"),
    api_key.Issued(
        at=AT, **KEY, kind="management", environment="test", secret=SECRET, settings=SETTINGS, claims=b"sealed"
    ),
    api_key.Changed(at=AT, **KEY, settings=SETTINGS, claims=b"sealed"),
    api_key.Rotated(at=AT, **KEY, secret=SECRET, old_until=LATER),
    api_key.Revoked(at=AT, **KEY),
    credit.Granted(
        at=AT,
        lot_id="lot-1",
        kind="promo",
        priority=35,
        amount_nusd=12_345_678_901,
        expires_at=LATER,
        source="coupon-WELCOME",
        reason=b"sealed",
    ),
    credit.Reserved(
        at=AT,
        **RESERVED,
        streamed=True,
        is_limited=True,
        app="shop",
        title=b"sealed",
        replaces="gen-0",
        burnable=("purchased",),
    ),
    credit.ReservationExtended(at=AT, **NAMED, added_nusd=1_000, holds=HOLDS),
    credit.AttemptRecorded(at=AT, **NAMED, attempt=ATTEMPT),
    credit.Settled(
        at=AT,
        **ENDED,
        burnt=HOLDS,
        charge=Charge(Nusd(360_000), "acme/m@3", LINES),
        generation=GENERATION,
        requested_model="gatewayz/auto",
        app="shop",
    ),
    credit.ShortfallRecorded(at=AT, **NAMED, amount_nusd=7, cause="overage", owed_nusd=9),
    credit.ShortfallPaid(at=AT, burnt=(Part("lot-1", 9),), owed_nusd=3),
    credit.Released(at=AT, **ENDED, reason="provider_failed", attempt=ATTEMPT),
    credit.WorkUnpaid(at=AT, reservation_id="gen-1", presumed_nusd=640, cause="abandoned"),
    credit.ReservationExpired(at=AT, **ENDED, provider="acme", model="acme/m"),
    credit.LotExpired(at=AT, lot_id="lot-1", kind="promo", amount_nusd=70),
)

SPARSE: tuple[Event, ...] = (
    account.Opened(at=AT, account_id="acc-1", username=b"sealed", email=b"sealed"),
    account.StateChanged(at=AT, account_id="acc-1", state="past_due"),
    api_key.Issued(at=AT, **KEY, kind="inference", environment="live", secret=SECRET, settings=SPARSE_SETTINGS),
    api_key.Changed(at=AT, **KEY, settings=SPARSE_SETTINGS),
    api_key.Rotated(at=AT, **KEY, secret=SECRET, old_until=LATER),
    api_key.Revoked(at=AT, **KEY),
    credit.Granted(at=AT, lot_id="lot-1", kind="purchased", priority=40, amount_nusd=1),
    credit.Reserved(at=AT, **RESERVED),
    credit.ReservationExtended(at=AT, **NAMED, added_nusd=1_000, holds=HOLDS),
    credit.AttemptRecorded(at=AT, **NAMED, attempt=credit.Attempt(provider="acme", error_class="connect")),
    credit.Settled(
        at=AT,
        **ENDED,
        burnt=(),
        charge=Charge(Nusd(0), "acme/m@3"),
        generation=credit.Generation(provider="acme", model="acme/m", usage={}),
        requested_model="acme/m",
    ),
    credit.ShortfallRecorded(at=AT, **NAMED, amount_nusd=7, cause="overage", owed_nusd=9),
    credit.ShortfallPaid(at=AT, burnt=(Part("lot-1", 9),), owed_nusd=3),
    credit.Released(at=AT, **ENDED, reason="cancelled"),
    credit.WorkUnpaid(at=AT, reservation_id="gen-1", presumed_nusd=1, cause="timed_out"),
    credit.ReservationExpired(at=AT, **ENDED, provider="acme", model="acme/m"),
    credit.LotExpired(at=AT, lot_id="lot-1", kind="promo", amount_nusd=0),
)


class Sample(msgspec.Struct, frozen=True):
    """`stored` is what the log holds, `means` the same with every default spelled out."""

    stored: msgspec.Raw
    means: Any


class GoldenFile(msgspec.Struct, frozen=True):
    full: Sample
    sparse: Sample


def sample(event: Event) -> Sample:
    return Sample(msgspec.Raw(CODEC.encode(event)), meaning(event))


def meaning(value: Any) -> Any:
    """`value` as JSON-ready builtins, by stored names, in which no field is left out."""
    if isinstance(value, msgspec.Struct):
        named = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        return {stored: meaning(getattr(value, name)) for stored, name in named}
    if isinstance(value, tuple):
        return [meaning(item) for item in value]
    return msgspec.to_builtins(value)


def file_of(tag: str) -> Path:
    return FOLDER / f"{tag}.json"


def shown(golden: GoldenFile) -> bytes:
    return msgspec.json.format(msgspec.json.encode(golden), indent=2) + b"\n"


def write_missing() -> None:
    for full, sparse in zip(FULL, SPARSE, strict=True):
        if not file_of(full.tag).exists():
            file_of(full.tag).write_bytes(shown(GoldenFile(sample(full), sample(sparse))))


if __name__ == "__main__":
    write_missing()
