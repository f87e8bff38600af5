"""The use cases on a real ledger, with a clock that is set and seeded names: they write a golden log and try it."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace
from psycopg_pool import AsyncConnectionPool

from adapters.outbound.crypto.personal_data import SealedPersonalData
from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.read.content import PostgresAnswers, PostgresDataKeys
from adapters.outbound.postgres.read.reads import postgres_reads
from adapters.outbound.postgres.wire.read_times import TOTAL_TIMES
from application.generate.kept_bytes import KeptBytes
from application.generate.request.read_chat_request import ChatRequest, read_body
from application.generate.reserve_credit import Deadlines
from application.use_cases import InferencePorts, Terms, expiry, inference, use_cases
from application.write import Ports
from domain.catalog.offer import Offer
from domain.pricing.price import PriceSet, PriceTier
from tests.fakes.counting_telemetry import CountingTelemetry
from tests.fakes.memory_catalog import MemoryCatalog
from tests.fakes.no_counter import NoCounter
from tests.fakes.reads.positions import MemoryPositionReads
from tests.fakes.scripted_providers import ScriptedProviders
from tests.golden.logs.told import ToldSecrets
from tests.rigs.postgres import ledgers

MODEL = "acme/m"
DEADLINES = Deadlines(request_s=600, stream_s=3_600, grace_s=900, reserve_patience_s=30)
TERMS = Terms(deadlines=DEADLINES, kept=KeptBytes(), keep_answers_s=86_400, read_on_s=5)


class SetClock:
    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def elapsed_s(self) -> float:
        return self.at.timestamp()

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class SeededIds:
    """The same names for the same seed; they begin with the clock's time, as the gateway's do."""

    def __init__(self, clock: SetClock, chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance

    def new(self) -> UUID:
        at_ms = int(self._clock.now().timestamp() * 1_000)
        return UUID(int=at_ms << 80 | 0x7 << 76 | self._chance.getrandbits(12) << 64 | 2 << 62 | self._bits(62))

    def secret(self) -> str:
        return f"{self._bits(256):064x}"[:43]

    def _bits(self, count: int) -> int:
        return self._chance.getrandbits(count)


class LedgerGateway:
    """The use cases as the composition root has them, but for providers, catalog, clock and names."""

    def __init__(self, ledger: PostgresLedger, pool: AsyncConnectionPool[Any], secrets: ToldSecrets, at: datetime):
        self.ledger = ledger
        self.clock = SetClock(at)
        self.ids = SeededIds(self.clock, random.Random(at.isoformat()))
        ring = [key.encode() for key in secrets.keyring]
        self.personal_data = SealedPersonalData(secrets.pepper.encode(), ring, PostgresDataKeys(pool))
        self.reads = replace(postgres_reads(pool), positions=MemoryPositionReads([]))  # no projector is waited for
        self.providers = ScriptedProviders()
        self.catalog = MemoryCatalog([_offer("acme", 10**9, 2 * 10**9), _offer("dearer", 2 * 10**9, 5 * 10**9)])
        ports = Ports(ledger, self.personal_data, self.reads, self.clock, self.ids)
        self.use_cases = use_cases(ports)
        self.expire_due = expiry(ledger, self.reads.due, self.clock)
        more = InferencePorts(PostgresAnswers(pool), self.catalog, self.providers, NoCounter(), CountingTelemetry())
        made = inference(ports, more, TERMS)
        self.reserve, self.settle, self.complete_chat = made.reserve, made.settle, made.complete_chat


@asynccontextmanager
async def ledger_gateway(info: str, secrets: ToldSecrets, at: datetime) -> AsyncIterator[LedgerGateway]:
    """info: of the writer."""
    kwargs: dict[str, Any] = {"autocommit": True, "context": TOTAL_TIMES}
    async with (
        AsyncConnectionPool(info, min_size=1, max_size=4, open=False, kwargs=kwargs) as pool,
        ledgers.running(info) as ledger,
    ):
        yield LedgerGateway(ledger, pool, secrets, at)


def chat_request(text: str, idempotency_key: str | None = None, **more: Any) -> ChatRequest:
    raw = msgspec.json.encode({"model": MODEL, "messages": [{"role": "user", "content": text}], **more})
    named = None if idempotency_key is None else (idempotency_key, raw[:64].ljust(64))
    return read_body(raw, app="https://shop.example", idempotency=named)


def _offer(provider: str, input_nusd: int, output_nusd: int) -> Offer:
    prices = PriceSet(f"{provider}@1", (PriceTier(0, {"input": input_nusd, "output": output_nusd}),))
    return Offer(
        model=MODEL,
        provider=provider,
        native_id="m",
        prices=prices,
        cost_prices=prices,
        context_length=8_192,
        max_output_tokens=1_024,
        name="Acme M",
        created=1_700_000_000,
    )
