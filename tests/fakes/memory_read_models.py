"""Read models that fold the memory ledger's log anew for each question: slow, and never behind unless told to be."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from application.reads.accounts import AccountRecord
from application.reads.credits import Credits, LotRecord
from application.reads.generations import GenerationRecord, GenerationStatus
from application.reads.keys import FoundKey, KeyRecord, KeySpending
from application.reads.statements import Statement
from domain.account import account
from domain.account.events import Opened
from domain.api_key.api_key import API_KEY, ApiKey
from domain.credit import events as e
from domain.credit.decider import CREDIT
from domain.credit.state import CreditBalance
from domain.event import Event
from domain.log import RecordedEvent
from domain.window import Window, window_start
from tests.fakes.memory_ledger import MemoryLedger


class MemoryReadModels:
    """`is_behind`: waiting for a position is in vain."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self.is_behind = False
        self.waited_for: list[int] = []

    async def find_key(self, secret_hash: bytes) -> FoundKey | None:
        for key in self._keys():
            if secret_hash in (key.secret.hash, key.old_secret.hash if key.old_secret else b""):
                state = self._ledger.state_now(account.ACCOUNT, key.account_id).state
                return FoundKey(key, state, len(self._ledger.log))
        return None

    async def key(self, account_id: str, key_id: str, now: datetime) -> KeyRecord | None:
        key: ApiKey = self._ledger.state_now(API_KEY, key_id)
        return self._record(key, now) if key.account_id == account_id else None

    async def keys(self, account_id: str, now: datetime) -> Sequence[KeyRecord]:
        return [self._record(key, now) for key in self._keys() if key.account_id == account_id and not key.revoked]

    async def account(self, account_id: str) -> AccountRecord | None:
        for recorded in self._about(account.ACCOUNT.stream(account_id)):
            opened = recorded.event
            if isinstance(opened, Opened):
                state = self._ledger.state_now(account.ACCOUNT, account_id).state
                return AccountRecord(account_id, state, opened.username, opened.email, opened.at, recorded.position)
        return None

    async def accounts(self, after: str, limit: int) -> Sequence[AccountRecord]:
        ids = sorted({str(r.event.account_id) for r in self._ledger.log if isinstance(r.event, Opened)})
        found = [await self.account(account_id) for account_id in ids if account_id > after]
        return [record for record in found if record is not None][:limit]

    async def credits(self, account_id: str) -> Credits:
        state: CreditBalance = self._ledger.state_now(CREDIT, account_id)
        events = self._about(CREDIT.stream(account_id))
        granted = sum(each.event.amount_nusd for each in events if isinstance(each.event, e.Granted))
        expired = sum(each.event.amount_nusd for each in events if isinstance(each.event, e.LotExpired))
        shortfall = sum(each.event.amount_nusd for each in events if isinstance(each.event, e.ShortfallRecorded))
        unpaid = sum(each.event.presumed_nusd for each in events if isinstance(each.event, e.WorkUnpaid))
        return Credits(
            account_id=account_id,
            granted_nusd=granted,
            settled_nusd=granted - expired - state.posted_nusd,
            expired_nusd=expired,
            posted_nusd=state.posted_nusd,
            held_nusd=state.held_nusd,
            shortfall_nusd=shortfall,
            owed_nusd=state.owed_nusd,
            unpaid_work_nusd=unpaid,
            open_reservations=len(state.reservations),
            position=events[-1].position if events else 0,
        )

    async def generation(self, account_id: str, generation_id: str) -> GenerationRecord | None:
        wanted = generation_id.removeprefix("gen-")
        return next((record for record in self._requests(account_id) if record.reservation_id == wanted), None)

    async def statement(self, account_id: str, limit: int) -> Statement:
        lots = [
            _lot(recorded, self._ledger.state_now(CREDIT, account_id))
            for recorded in self._about(CREDIT.stream(account_id))
            if isinstance(recorded.event, e.Granted)
        ]
        requests = list(self._requests(account_id))[-limit:]
        return Statement(await self.credits(account_id), lots, requests, len(self._ledger.log))

    async def due_reservations(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        due = [
            (stream.partition("-")[2], reservation_id)
            for stream, state in self._balances()
            for reservation_id, reservation in state.reservations.items()
            if reservation.expires_at <= now
        ]
        return due[:limit]

    async def due_lots(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        due = [
            (stream.partition("-")[2], lot.lot_id)
            for stream, state in self._balances()
            for lot in state.lots.values()
            if lot.is_expired_at(now) and not lot.taken_back
        ]
        return due[:limit]

    async def open_reservations(self) -> int:
        return sum(len(state.reservations) for _, state in self._balances())

    async def last_position_of(self, streams: Sequence[str]) -> int:
        return max((each.position for each in self._ledger.log if each.stream in streams), default=0)

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        self.waited_for.append(position)
        return not self.is_behind and position <= len(self._ledger.log)

    async def wait_for_account(self, account_id: str, timeout_s: float = 1.0) -> bool:
        return not self.is_behind

    def _about(self, stream: str) -> list[RecordedEvent]:
        return [recorded for recorded in self._ledger.log if recorded.stream == stream]

    def _keys(self) -> Iterator[ApiKey]:
        streams = dict.fromkeys(each.stream for each in self._ledger.log if each.stream.startswith("key-"))
        return (self._ledger.state_now(API_KEY, stream.partition("-")[2]) for stream in streams)

    def _balances(self) -> list[tuple[str, CreditBalance]]:
        streams = dict.fromkeys(each.stream for each in self._ledger.log if each.stream.startswith("credit-"))
        return [(stream, self._ledger.state_now(CREDIT, stream.partition("-")[2])) for stream in streams]

    def _record(self, key: ApiKey, now: datetime) -> KeyRecord:
        settled = [
            each.event
            for each in self._ledger.log
            if isinstance(each.event, e.Settled) and each.event.key_id == key.key_id
        ]

        def spent(window: Window) -> int:
            start = window_start(window, now)
            return sum(each.cost_nusd for each in settled if each.reserved_at.date() >= start)

        spending = KeySpending(spent("total"), spent("daily"), spent("weekly"), spent("monthly"), len(settled))
        return KeyRecord(key, spending, self._about(API_KEY.stream(key.key_id))[-1].position)

    def _requests(self, account_id: str) -> Iterator[GenerationRecord]:
        events = self._about(CREDIT.stream(account_id))
        ends = {each.event.reservation_id: each for each in events if isinstance(each.event, _ENDS)}
        for recorded in events:
            if isinstance(recorded.event, e.Reserved):
                yield _request(account_id, recorded, ends.get(recorded.event.reservation_id))


_ENDS = e.Settled | e.Released | e.ReservationExpired

_STATUS: dict[type[Event], GenerationStatus] = {
    e.Settled: "settled",
    e.Released: "released",
    e.ReservationExpired: "expired",
}


def _lot(recorded: RecordedEvent, state: CreditBalance) -> LotRecord:
    granted: Any = recorded.event
    live = state.lots.get(granted.lot_id)
    remaining = live.remaining_nusd if live else 0
    return LotRecord(
        lot_id=granted.lot_id,
        kind=granted.kind,
        priority=granted.priority,
        granted_nusd=granted.amount_nusd,
        burnt_nusd=granted.amount_nusd - remaining,
        expired_nusd=0,
        held_nusd=live.held_nusd if live else 0,
        granted_at=granted.at,
        expires_at=granted.expires_at,
        source=granted.source,
        reason=granted.reason,
        position=recorded.position,
    )


def _request(account_id: str, begun: RecordedEvent, ended: RecordedEvent | None) -> GenerationRecord:
    reserved: Any = begun.event
    end: Any = ended.event if ended else None
    settled: Any = end if isinstance(end, e.Settled) else None
    made = settled.generation if settled else None
    return GenerationRecord(
        reservation_id=reserved.reservation_id,
        account_id=account_id,
        key_id=reserved.key_id,
        status=_STATUS[type(end)] if end else "reserved",
        reserve_position=begun.position,
        end_position=ended.position if ended else None,
        reserved_at=reserved.at,
        ended_at=end.at if end else None,
        requested_model=reserved.requested_model,
        model=made.model if made else reserved.model,
        provider=made.provider if made else reserved.provider,
        app=reserved.app,
        title=reserved.title,
        replaces=reserved.replaces,
        streamed=reserved.streamed,
        granted_tokens=reserved.granted_tokens,
        requested_tokens=reserved.quote.requested_tokens,
        deadline_at=reserved.deadline_at,
        expires_at=reserved.expires_at,
        holds=reserved.holds,
        reserved_nusd=reserved.amount_nusd,
        cost_nusd=settled.cost_nusd if settled else 0,
        shortfall_nusd=settled.shortfall_nusd if settled else 0,
        charge_nusd=settled.charge.total_nusd if settled else 0,
        provider_cost_nusd=made.cost_nusd if made else 0,
        price_version=reserved.price_version,
        rounding=settled.charge.rounding if settled else "",
        burnt=settled.burnt if settled else (),
        lines=settled.charge.lines if settled else (),
        usage=made.usage if made else {},
        reason=getattr(end, "reason", ""),
        provider_generation_id=made.provider_generation_id if made else "",
        finish_reason=made.finish_reason if made else "",
        error_class=made.error_class if made else "",
        ttft_ms=made.ttft_ms if made else 0,
        total_ms=made.total_ms if made else 0,
        estimated=made.estimated if made else False,
        quarantined=made.quarantined if made else False,
        cancelled=made.cancelled if made else False,
    )
