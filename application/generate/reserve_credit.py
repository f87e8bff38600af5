"""The first durable step: hold the worst case, before anything is sent to a provider (P2)."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from application.generate.held import Held
from application.generate.key_owners import KeyOwners
from application.generate.quote_offer import quote_offer
from application.generate.request.read_chat_request import ChatRequest
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.key_directory import Caller
from application.ports.ledger import Ledger, Recorded, Waiting
from application.ports.personal_data import PersonalData
from application.ports.telemetry import Telemetry
from domain.account.account import burnable_kinds
from domain.catalog.offer import Offer
from domain.command_ids import named_id, step_id
from domain.credit.commands import Release, Reserve
from domain.credit.decider import CREDIT
from domain.credit.events import Released, ReservationExpired, Reserved, Settled
from domain.credit.unpaid import UnpaidLimit
from domain.errors import DomainError
from domain.pricing.price import PriceSet

MAX_ATTEMPTS = 1_000
"""Retries of one Idempotency-Key that found their predecessor released or expired; beyond it the key is refused."""

ASKED_AT_ONCE = 100
"""Attempts looked up in one query; all thousand take ten queries."""

LEFT_TO_EXPIRY = ("reservation_not_open", "ledger_unavailable")
"""Why a release may fail: there is no reservation, or this process ends while its database is away; then the
reservation expires (P3)."""


class Deadlines(msgspec.Struct, frozen=True):
    """Seconds. A request ends after 600 s, a stream after 3,600 s; its reservation `grace_s` later."""

    request_s: float
    stream_s: float
    grace_s: float
    reserve_patience_s: float

    def of(self, request: ChatRequest) -> float:
        return self.stream_s if request.streamed else self.request_s


class AlreadyServed(Exception):
    """The Idempotency-Key's request was settled before: `settled` is its charge, made by command `settle_id`."""

    def __init__(self, settled: Settled, settle_id: UUID, position: int) -> None:
        super().__init__(settled.reservation_id)
        self.settled = settled
        self.settle_id = settle_id
        self.position = position


class ReserveCredit:
    def __init__(
        self,
        ledger: Ledger,
        personal_data: PersonalData,
        clock: Clock,
        ids: Ids,
        telemetry: Telemetry,
        deadlines: Deadlines,
        unpaid_limit: UnpaidLimit | None = None,
    ) -> None:
        """unpaid_limit: per account, on work that providers did and no customer paid; None means no limit."""
        self._ledger = ledger
        self._personal_data = personal_data
        self._clock = clock
        self._ids = ids
        self._telemetry = telemetry
        self._deadlines = deadlines
        self._waiting = Waiting(deadlines.reserve_patience_s, sheddable=True)
        self._unpaid_limit = unpaid_limit
        self._key_owners = KeyOwners(ledger)

    async def __call__(self, caller: Caller, request: ChatRequest, offer: Offer, prices: PriceSet) -> Held:
        """Hold the worst case of `request` on `offer`; returns after the commit.

        Raises: DomainError insufficient_credits, key_limit_exceeded, unfinished_work_limit, overloaded,
                ledger_unavailable, invalid_api_key;
                with an Idempotency-Key also idempotency_key_reused, request_in_progress, AlreadyServed.
        """
        is_ready = not request.title and self._key_owners.knows(caller)
        title = b"" if is_ready else await self._require_own_key(caller, request.title)
        if request.idempotency is None:
            return await self._hold(caller, request, offer, prices, title, self._ids.new(), None)
        key, request_hash = request.idempotency
        attempt, names = 1, _Attempts(caller, key)
        while attempt <= MAX_ATTEMPTS:
            reservation = names.of(attempt)
            try:
                return await self._hold(caller, request, offer, prices, title, reservation, request_hash)
            except _SeenBefore:
                last = await self._last_made(names, attempt)
                await self._raise_unless_free(names.of(last))
                attempt = last + 1
            except DomainError as error:
                if error.code == "command_id_reused":
                    raise DomainError("idempotency_key_reused") from None
                raise
        raise DomainError("idempotency_key_reused")

    async def _require_own_key(self, caller: Caller, title: str) -> bytes:
        """Returns `title`, sealed for the account."""
        try:
            async with asyncio.timeout(self._deadlines.reserve_patience_s):
                await self._key_owners.require(caller)
                return await self._sealed(caller.account_id, title) if title else b""
        except TimeoutError:
            raise DomainError("ledger_unavailable", retry_after_s=1) from None

    async def _sealed(self, account_id: str, title: str) -> bytes:
        try:
            return await self._personal_data.seal(account_id, title.encode())
        except DomainError:  # the data key is gone or wrong: serve the request, but do not store the title in clear
            return b""

    async def _hold(
        self,
        caller: Caller,
        request: ChatRequest,
        offer: Offer,
        prices: PriceSet,
        title: bytes,
        reservation: UUID,
        request_hash: bytes | None,
    ) -> Held:
        started_s = self._clock.elapsed_s()
        command = self._command(caller, request, offer, prices, title, reservation)
        with self._telemetry.span("reserve", command.reservation_id):
            recorded = await self._record(caller, command, reservation, request_hash)
        reserved = recorded.events[0]
        assert isinstance(reserved, Reserved)
        return Held(
            caller=caller,
            request=request,
            reservation=reservation,
            offer=offer,
            prices=prices,
            granted_tokens=reserved.granted_tokens,
            reserved_nusd=reserved.amount_nusd,
            reserve=command,
            started_s=started_s,
            deadline_at=command.deadline_at,
            position=recorded.position,
        )

    def _command(
        self, caller: Caller, request: ChatRequest, offer: Offer, prices: PriceSet, title: bytes, reservation: UUID
    ) -> Reserve:
        now = self._clock.now()
        deadline_at = now + timedelta(seconds=self._deadlines.of(request))
        return Reserve(
            at=now,
            reservation_id=str(reservation),
            key_id=caller.key_id,
            quote=quote_offer(request, offer, prices),
            deadline_at=deadline_at,
            expires_at=deadline_at + timedelta(seconds=self._deadlines.grace_s),
            requested_model=request.model,
            model=offer.model,
            provider=offer.provider,
            price_version=prices.version,
            streamed=request.streamed,
            key_limit=caller.limit,
            burnable=burnable_kinds(caller.account_state),
            unpaid_limit=self._unpaid_limit,
            app=request.app,
            title=title,
        )

    async def _record(
        self, caller: Caller, command: Reserve, reservation: UUID, request_hash: bytes | None
    ) -> Recorded:
        """If the caller is cancelled or times out, a release is queued after the reserve."""
        reserving = self._ledger.transact(
            CREDIT,
            caller.account_id,
            command,
            command_id=step_id(reservation, "reserve"),
            correlation_id=reservation,
            input_hash=request_hash,
            waiting=self._waiting,
        )
        try:
            recorded = await reserving
        except TimeoutError:
            self._take_back(caller, reservation)
            raise DomainError("ledger_unavailable", retry_after_s=1) from None
        except asyncio.CancelledError:
            self._take_back(caller, reservation)
            raise
        if recorded.seen_before:
            raise _SeenBefore
        return recorded

    def _take_back(self, caller: Caller, reservation: UUID) -> None:
        task = asyncio.get_running_loop().create_task(self._release(caller, reservation, self._clock.now()))
        _background.add(task)
        task.add_done_callback(_background.discard)

    async def _release(self, caller: Caller, reservation: UUID, now: datetime) -> None:
        command = Release(at=now, reservation_id=str(reservation), reason="caller_gone")
        try:
            await self._ledger.transact(
                CREDIT,
                caller.account_id,
                command,
                command_id=step_id(reservation, "release"),
                correlation_id=reservation,
            )
        except DomainError as refusal:
            if refusal.code not in LEFT_TO_EXPIRY:
                raise

    async def _last_made(self, names: "_Attempts", made: int) -> int:
        """The newest attempt that was reserved: each follows one that was released or expired. Mostly one query."""
        while made < MAX_ATTEMPTS:
            last = min(made + ASKED_AT_ONCE, MAX_ATTEMPTS)
            asked = {step_id(names.of(number), "reserve"): number for number in range(made + 1, last + 1)}
            found = await self._ledger.recall(list(asked))
            if not found:
                return made
            newest = max(asked[command_id] for command_id in found)
            if newest < last:
                return newest
            made = newest
        return made

    async def _raise_unless_free(self, reservation: UUID) -> None:
        """A settled predecessor is the answer; a released or expired one leaves the key free; else it still runs."""
        ends = {step_id(reservation, step) for step in ("settle", "release", "expire")}
        found = await self._ledger.recall(list(ends))
        is_free = False
        for command_id, recorded in found.items():
            for event in recorded.events:
                if isinstance(event, Settled):
                    raise AlreadyServed(event, command_id, recorded.position)
                is_free = is_free or isinstance(event, Released | ReservationExpired)
        if not is_free:
            raise DomainError("request_in_progress", retry_after_s=1)


class _Attempts:
    """The reservations that one Idempotency-Key may make, numbered from 1."""

    def __init__(self, caller: Caller, key: str) -> None:
        self._scope = ("idempotency", caller.account_id, caller.key_id, key)

    def of(self, number: int) -> UUID:
        return named_id(*self._scope, str(number))


class _SeenBefore(Exception):
    """An earlier call recorded the reserve of this attempt."""


_background: set[asyncio.Task[None]] = set()
"""Keeps take-backs alive until they are done; asyncio itself holds tasks weakly."""
