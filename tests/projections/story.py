"""Logs to project and verify, told by the real deciders: a random one that meets every event, and a long steady one."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.account.account import ACCOUNT, ChangeState, Open
from domain.account.events import AccountState
from domain.aggregates import CODEC
from domain.api_key.api_key import API_KEY, Change, Issue, Revoke, Rotate
from domain.api_key.events import KeySettings, Secret
from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.credit.events import Attempt, Generation
from domain.credit.state import CreditBalance
from domain.decider import Decider
from domain.errors import DomainError
from domain.event import Command
from domain.log import RecordedEvent
from domain.lot_kind import LotKind
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.quote import quote
from domain.pricing.rate import rate
from domain.window import KeyLimit

START = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
"""Half an hour before a day, week change: windows are crossed early."""

PRICES = PriceSet("v1", (PriceTier(0, {"input": 150_000_000, "output": 600_000_000}),))
KINDS: tuple[LotKind, ...] = ("allowance", "trial", "promo", "purchased")


class Log:
    """An in-memory log: runs commands through their deciders and keeps what they decide, as the database would."""

    def __init__(self) -> None:
        self.events: list[RecordedEvent] = []
        self.states: dict[str, Any] = {}
        self.versions: dict[str, int] = {}
        self.at = START
        self._commands = 0

    def command(self, decider: Decider, owner: str, command: Command) -> Sequence[RecordedEvent]:
        """Record the outcome of `command`; nothing if it is refused."""
        stream = decider.stream(owner)
        try:
            events, self.states[stream] = decider.run(command, self.states.get(stream, decider.initial))
        except DomainError:
            return ()
        self._commands += 1
        recorded = []
        for event in events:
            self.versions[stream] = self.versions.get(stream, 0) + 1
            recorded.append(
                RecordedEvent(
                    position=len(self.events) + 1,
                    stream=stream,
                    version=self.versions[stream],
                    tag=event.tag,
                    event=CODEC.decode(event.tag, CODEC.encode(event)),
                    recorded_at=self.at,
                    command_id=UUID(int=self._commands),
                    correlation_id=UUID(int=self._commands) if self._commands % 3 else None,
                )
            )
            self.events.append(recorded[-1])
        return recorded

    def credit(self, account_id: str) -> CreditBalance:
        state: CreditBalance = self.states.get(CREDIT.stream(account_id), CREDIT.initial)
        return state


def open_account(log: Log, account_id: str, keys: int = 1) -> None:
    log.command(ACCOUNT, account_id, Open(at=log.at, account_id=account_id, username=b"sealed", email=b"sealed@"))
    for n in range(keys):
        issue_key(log, account_id, f"{account_id}-k{n}")


def issue_key(log: Log, account_id: str, key_id: str) -> None:
    secret = Secret(f"hash of {key_id}".encode(), "last")
    issue = Issue(
        at=log.at,
        key_id=key_id,
        account_id=account_id,
        kind="inference",
        environment="live",
        secret=secret,
        settings=KeySettings(label=b"sealed"),
    )
    log.command(API_KEY, key_id, issue)


def reserve(log: Log, account_id: str, key_id: str, reservation_id: str, **more: Any) -> c.Reserve:
    deadline = log.at + timedelta(seconds=600)
    known: dict[str, Any] = {
        "quote": quote(PRICES, max_input_tokens=1_000, output_tokens=500),
        "requested_model": "acme/m",
        "price_version": "v1",
        "app": "https://app.example",
    }
    return c.Reserve(
        at=log.at,
        reservation_id=reservation_id,
        key_id=key_id,
        deadline_at=deadline,
        expires_at=deadline + timedelta(seconds=900),
        model="acme/m",
        provider="acme",
        **{**known, **more},
    )


def settle(log: Log, reservation_id: str, tokens: int, **more: Any) -> c.Settle:
    usage: dict[Any, int] = {"input": 900, "output": tokens}
    known: dict[str, Any] = {
        "provider": "acme",
        "model": "acme/m",
        "usage": usage,
        "provider_cost_nusd": 100_000 + tokens,
        "provider_generation_id": f"chatcmpl-{reservation_id}",
        "finish_reason": "stop",
        "ttft_ms": 120,
        "total_ms": 900,
        "streamed": tokens % 2 == 0,
    }
    generation = Generation(**{**known, **more.pop("generation", {})})
    return c.Settle(at=log.at, reservation_id=reservation_id, charge=rate(usage, PRICES), generation=generation, **more)


def steady_story(accounts: int, requests: int, seed: int = 0) -> Iterator[RecordedEvent]:
    """Accounts with credit, then `requests` reserves and settles spread over them; about 32 requests are in flight."""
    rng, log = random.Random(seed), Log()
    for n in range(accounts):
        open_account(log, f"acct-{n:06d}")
        grant = c.Grant(at=log.at, lot_id=f"lot-{n}", kind="purchased", amount_nusd=10**15, source="admin")
        log.command(CREDIT, f"acct-{n:06d}", grant)
    yield from _drained(log)
    in_flight: list[tuple[str, str]] = []
    for n in range(requests):
        log.at += timedelta(milliseconds=1)
        account_id = f"acct-{rng.randrange(accounts):06d}"
        reservation_id = str(UUID(int=(n << 64) | rng.getrandbits(62)))
        log.command(CREDIT, account_id, reserve(log, account_id, f"{account_id}-k0", reservation_id))
        in_flight.append((account_id, reservation_id))
        if len(in_flight) > 32:
            ending, reservation = in_flight.pop(rng.randrange(32))
            log.command(CREDIT, ending, settle(log, reservation, rng.randrange(1, 500)))
        yield from _drained(log)


def _drained(log: Log) -> Iterator[RecordedEvent]:
    """Hand the events out and forget them, but keep counting positions."""
    yield from log.events
    log.events = _Counted(len(log.events))


class _Counted(list[RecordedEvent]):
    """An emptied list that still knows how many events went before."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.before = before

    def __len__(self) -> int:
        return self.before + super().__len__()


def wild_story(seed: int, steps: int = 120, accounts: int = 3) -> list[RecordedEvent]:
    """Everything that can happen to a few accounts, in random order."""
    teller = _Teller(random.Random(seed), accounts)
    for _ in range(steps):
        teller.step()
    return teller.log.events


def halves(events: list[RecordedEvent]) -> tuple[list[RecordedEvent], list[RecordedEvent]]:
    """Cut a story about in the middle, but never through a command."""
    middle = len(events) // 2
    while events[middle].command_id == events[middle - 1].command_id:
        middle += 1
    return events[:middle], events[middle:]


class _Teller:
    def __init__(self, rng: random.Random, accounts: int) -> None:
        self.rng = rng
        self.log = Log()
        self.accounts = [f"acct-{n}" for n in range(accounts)]
        self.keys = {account_id: [f"{account_id}-k{n}" for n in range(2)] for account_id in self.accounts}
        self.count = 0
        for account_id in self.accounts:
            open_account(self.log, account_id, keys=2)

    def step(self) -> None:
        self.log.at += timedelta(seconds=self.rng.choice([0, 1, 30, 700, 20_000]))
        self.count += 1
        account_id = self.rng.choice(self.accounts)
        weighted = [
            *[self.reserve] * 6,
            *[self.settle] * 5,
            *[self.grant] * 2,
            self.extend,
            self.attempt,
            self.release,
            self.expire_reservation,
            self.expire_lot,
            self.settle_late,
            self.change_key,
            self.change_account,
        ]
        self.rng.choice(weighted)(account_id)

    def grant(self, account_id: str) -> None:
        lifetime = self.rng.choice([None, timedelta(hours=1), timedelta(days=2)])
        self._credit(
            account_id,
            c.Grant(
                at=self.log.at,
                lot_id=f"lot-{self.count}",
                kind=self.rng.choice(KINDS),
                amount_nusd=self.rng.choice([1, 100_000, 600_000, 3_000_000]),
                expires_at=self.log.at + lifetime if lifetime else None,
                source="story",
                reason=b"sealed",
            ),
        )

    def reserve(self, account_id: str) -> None:
        limit = self.rng.choice([None, KeyLimit(10**9, "daily")])
        free = {"quote": quote(PRICES, max_input_tokens=0, output_tokens=0)} if self.rng.random() < 0.1 else {}
        model = self.rng.choice(["acme/m", "odd\x00\t\\model"])
        self._credit(
            account_id, self._reserve(account_id, f"res-{self.count}", key_limit=limit, requested_model=model, **free)
        )

    def settle(self, account_id: str) -> None:
        if (rid := self._open(account_id)) is not None:
            odd = {"finish_reason": self.rng.choice(["stop", "\x00\n\\N"]), "estimated": self.rng.random() < 0.2}
            tokens = self.rng.choice([0, 1, 250, 500, 5_000])
            self._credit(account_id, settle(self.log, rid, tokens, generation=odd, unpaid=self._unpaid()))

    def settle_late(self, account_id: str) -> None:
        for rid in self.log.credit(account_id).expired:
            late = self._reserve(account_id, f"late-{self.count}")
            self._credit(account_id, settle(self.log, rid, 10, late=late))
            return

    def extend(self, account_id: str) -> None:
        if (rid := self._open(account_id)) is not None:
            self._credit(account_id, c.ExtendReservation(at=self.log.at, reservation_id=rid, amount_nusd=700_000))

    def attempt(self, account_id: str) -> None:
        if (rid := self._open(account_id)) is not None:
            self._credit(account_id, c.RecordAttempt(at=self.log.at, reservation_id=rid, attempt=_FAILED))

    def release(self, account_id: str) -> None:
        if (rid := self._open(account_id)) is not None:
            failed = self.rng.choice([None, _FAILED])
            self._credit(
                account_id,
                c.Release(
                    at=self.log.at,
                    reservation_id=rid,
                    reason="provider_failed",
                    attempt=failed,
                    unpaid=self._unpaid(),
                ),
            )

    def expire_reservation(self, account_id: str) -> None:
        if (rid := self._open(account_id)) is not None:
            self._credit(account_id, c.ExpireReservation(at=self.log.at, reservation_id=rid))

    def expire_lot(self, account_id: str) -> None:
        for lot_id in list(self.log.credit(account_id).lots):
            self._credit(account_id, c.ExpireLot(at=self.log.at, lot_id=lot_id))

    def change_key(self, account_id: str) -> None:
        key_id = self.rng.choice(self.keys[account_id])
        secret = Secret(f"hash {self.count}".encode(), f"{self.count:04d}"[-4:])
        command = self.rng.choice(
            [
                Change(at=self.log.at, settings=KeySettings(label=b"x", disabled=True, limit=KeyLimit(5, "weekly"))),
                Change(at=self.log.at, settings=KeySettings(label=b"y", expires_at=self.log.at + timedelta(hours=1))),
                Rotate(at=self.log.at, secret=secret, grace_s=3_600),
                Revoke(at=self.log.at),
            ]
        )
        self.log.command(API_KEY, key_id, command)

    def change_account(self, account_id: str) -> None:
        states: list[AccountState] = ["active", "past_due", "suspended"]
        state = self.rng.choice(states)
        self.log.command(ACCOUNT, account_id, ChangeState(at=self.log.at, state=state))

    def _reserve(self, account_id: str, reservation_id: str, **more: Any) -> c.Reserve:
        return reserve(self.log, account_id, self.rng.choice(self.keys[account_id]), reservation_id, **more)

    def _unpaid(self) -> c.Unpaid | None:
        return (None, None, c.Unpaid(50_000, "abandoned"), c.Unpaid(10**9, "timed_out"))[self.count % 4]

    def _open(self, account_id: str) -> str | None:
        found = list(self.log.credit(account_id).reservations)
        return self.rng.choice(found) if found else None

    def _credit(self, account_id: str, command: Command) -> None:
        self.log.command(CREDIT, account_id, command)


_FAILED = Attempt(provider="acme", error_class="timeout\x00", status=504, duration_ms=30)
