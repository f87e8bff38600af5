"""A whole gateway on fakes, with an account, its keys and some credit: what most tests here begin with."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
import prometheus_client

from adapters.inbound.http.app import GatewayApp, create_app
from adapters.inbound.http.gateway import Check, Gateway, Limits
from adapters.inbound.http.server.body_budget import BodyBudget
from adapters.outbound.crypto.clock_and_ids import SystemIds
from application.accounts.open_account import OpenAccount
from application.credit.grant_credit import GrantCredit
from application.generate.kept_bytes import KeptBytes
from application.generate.reserve_credit import Deadlines
from application.keys.change_key import ChangeKey
from application.keys.issue_key import IssuedKey, IssueKey
from application.sealed import Sealed
from application.use_cases import InferencePorts, Terms, inference, use_cases
from application.write import Asked, Ports
from domain.account.account import ACCOUNT, ChangeState
from domain.catalog.offer import Offer
from domain.credit.commands import Reserve
from domain.credit.decider import CREDIT
from domain.credit.state import CreditBalance
from domain.credit.unpaid import UnpaidLimit
from domain.event import Event
from domain.money import FUSD_PER_NUSD, parse_usd
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.quote import Quote
from tests.fakes.counting_telemetry import CountingTelemetry
from tests.fakes.memory_catalog import MemoryCatalog
from tests.fakes.memory_key_directory import MemoryKeyDirectory
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_personal_data import MemoryPersonalData
from tests.fakes.movable_clock import MovableClock
from tests.fakes.no_counter import NoCounter
from tests.fakes.reads.positions import MemoryPositionReads
from tests.fakes.reads.reads import memory_reads
from tests.fakes.scripted_providers import ScriptedProviders

T = TypeVar("T")

ADMIN_KEY = "gw_admin_for-tests"
ADMIN = Asked("admin")

MODEL = "acme/m"
"""$1 per million tokens in, $2 out: 10 in and 5 out cost 20,000 nUSD."""

FLAT = "acme/flat"
"""$0.001 per request and nothing else: there is nothing to clamp."""

UNPRICED = "acme/unpriced"

PER_TOKEN = PriceSet("p1", (PriceTier(0, {"input": 10**9, "output": 2 * 10**9, "cached_input": 5 * 10**8}),))
PER_REQUEST = PriceSet("p2", (PriceTier(0, {"request": 10**12, "input": 0, "output": 0}),))

LIMITS = Limits()
UNPAID_LIMIT = UnpaidLimit(10**9, 100_000)
DEADLINES = Deadlines(request_s=60, stream_s=60, grace_s=60, reserve_patience_s=5)


class House:
    def __init__(
        self,
        limits: Limits = LIMITS,
        deadlines: Deadlines = DEADLINES,
        checks: Sequence[Check] = (),
        body_budget_bytes: int = 64 * 1024 * 1024,
        kept_bytes_of_account: int = 0,
        read_on_s: float = 5,
        unpaid_limit: UnpaidLimit = UNPAID_LIMIT,
    ) -> None:
        self.ledger = MemoryLedger()
        self.clock, self.ids = MovableClock(), SystemIds()
        self.personal_data = MemoryPersonalData()
        self.telemetry = CountingTelemetry()
        self.providers = ScriptedProviders()
        self.catalog = MemoryCatalog([offer(MODEL, PER_TOKEN), offer(FLAT, PER_REQUEST), offer(UNPRICED, None)])
        self.positions = MemoryPositionReads(self.ledger.log)
        self.reads = memory_reads(self.ledger.log, self.positions)
        self.checks = list(checks)
        self.bodies = BodyBudget(body_budget_bytes, patience_s=0.2)
        self.kept = KeptBytes(kept_bytes_of_account)
        self.gateway = self._gateway(limits, deadlines, read_on_s, unpaid_limit)
        self.account_id = self.open_account("ada")
        self.key = self.new_key("first")
        self.grant("10")

    @property
    def app(self) -> GatewayApp:
        return create_app(self.gateway)

    def new_key(self, label: str, **asked: Any) -> str:
        return self.issue(label, **asked).secret

    def issue(self, label: str, **asked: Any) -> IssuedKey:
        wanted = IssueKey(label=Sealed(label), environment="test", **asked)
        return done(self.gateway.use_cases.issue_key(self.account_id, wanted, ADMIN))

    def open_account(self, username: str) -> str:
        wanted = OpenAccount(username=Sealed(username), email=Sealed(f"{username}@example.com"))
        return done(self.gateway.use_cases.open_account(wanted, ADMIN)).account_id

    def change_key(self, key_id: str, **changes: Any) -> None:
        done(self.gateway.use_cases.change_key(self.account_id, key_id, ChangeKey(**changes), ADMIN))

    def grant(self, amount_usd: str) -> None:
        wanted = GrantCredit(amount_usd=amount_usd, kind="purchased", reason=Sealed("for the tests"))
        done(self.gateway.use_cases.grant_credit(self.account_id, wanted, ADMIN))

    def hold_all_but(self, amount_usd: str) -> None:
        """Another request holds all of the credit but this much."""
        now = self.clock.now()
        held = self.credit.available_nusd(now) - parse_usd(amount_usd)
        reserve = Reserve(
            at=now,
            reservation_id=str(self.ids.new()),
            key_id="another",
            quote=Quote(held * FUSD_PER_NUSD, 0, 0),
            deadline_at=now + timedelta(hours=1),
            expires_at=now + timedelta(hours=1),
            requested_model=MODEL,
            model=MODEL,
            provider="acme",
            price_version="p1",
        )
        done(self.ledger.transact(CREDIT, self.account_id, reserve, command_id=self.ids.new()))

    def suspend(self) -> None:
        change = ChangeState(at=self.clock.now(), state="suspended")
        done(self.ledger.transact(ACCOUNT, self.account_id, change, command_id=self.ids.new()))

    @property
    def credit(self) -> CreditBalance:
        state: CreditBalance = self.ledger.state_now(CREDIT, self.account_id)
        return state

    def happened(self, *kinds: type[Event]) -> list[Any]:
        return [recorded.event for recorded in self.ledger.log if isinstance(recorded.event, kinds)]

    def _gateway(self, limits: Limits, deadlines: Deadlines, read_on_s: float, unpaid_limit: UnpaidLimit) -> Gateway:
        ports = Ports(self.ledger, self.personal_data, self.reads, self.clock, self.ids)
        more = InferencePorts(self.ledger, self.catalog, self.providers, NoCounter(), self.telemetry)
        terms = Terms(
            deadlines=deadlines, unpaid_limit=unpaid_limit, kept=self.kept, keep_answers_s=3_600, read_on_s=read_on_s
        )
        return Gateway(
            keys=MemoryKeyDirectory(self.ledger, self.personal_data, self.clock),
            use_cases=use_cases(ports),
            inference=inference(ports, more, terms),
            reads=self.reads,
            catalog=self.catalog,
            providers=self.providers,
            ledger=self.ledger,
            personal_data=self.personal_data,
            clock=self.clock,
            telemetry=self.telemetry,
            is_admin=lambda secret: secret == ADMIN_KEY,
            readiness=self._readiness,
            metrics=lambda: (prometheus_client.generate_latest(), prometheus_client.CONTENT_TYPE_LATEST),
            bodies=self.bodies,
            limits=limits,
            version="1.2.3",
        )

    async def _readiness(self) -> Sequence[Check]:
        return self.checks


def done(step: Awaitable[T]) -> T:
    """Run a use case on fakes to its end; only before the server has a hand in it."""

    async def run() -> T:
        return await step

    return asyncio.run(run())


def offer(model: str, prices: PriceSet | None) -> Offer:
    return Offer(
        model=model,
        provider="acme",
        native_id=model.partition("/")[2],
        prices=prices,
        cost_prices=None,
        context_length=8_192,
        max_output_tokens=1_024,
        name=f"Acme {model}",
        created=1_700_000_000,
    )


def error_of(body: bytes) -> dict[str, Any]:
    """The error in an OpenAI envelope, after a look at the envelope's form."""
    envelope = msgspec.json.decode(body)
    assert set(envelope) == {"error"}
    error: dict[str, Any] = envelope["error"]
    assert set(error) == {"message", "type", "code", "param", "metadata"}
    assert isinstance(error["message"], str)
    assert error["message"]
    return error
