"""Serve one chat completion as a stream: all but its end at once, its end after the settle committed
(docs/explanation/architecture.md#the-life-of-a-request)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

import msgspec

from application.generate.call_providers import TIMED_OUT, TOO_LARGE, CallProviders, failure_of
from application.generate.complete_chat import check_may_generate
from application.generate.held import Held, dropped_of
from application.generate.interruptible import Interruptible
from application.generate.keep_answer import KeptAnswer, ReplayAnswer
from application.generate.metering.estimate_tokens import MAX_KEPT_BYTES, MeterAnswer
from application.generate.open_stream import OpenedStream, open_stream
from application.generate.quote_offer import offers_for
from application.generate.request.read_chat_request import ChatRequest
from application.generate.reserve_credit import AlreadyServed, ReserveCredit
from application.generate.settle_charge import MAX_STORED_BYTES, Outcome, Receipt, SettleCharge
from application.generate.stream_end import CUT_OFF, BrokenOff, Ended, broken_off, withheld
from application.generate.weigh_silence import Silence, WhenGone, weigh_silence
from application.ports.catalog import Catalog
from application.ports.chat_providers import ChatProviders
from application.ports.clock import Clock
from application.ports.key_directory import Caller
from application.ports.provider_answer import Chunk
from application.ports.provider_failure import ProviderFailure
from domain.errors import DomainError
from domain.pricing.usage import Usage, output_tokens


class StreamChat:
    def __init__(
        self,
        catalog: Catalog,
        reserve: ReserveCredit,
        call_providers: CallProviders,
        settle: SettleCharge,
        meter: MeterAnswer,
        providers: ChatProviders,
        replay: ReplayAnswer,
        clock: Clock,
        read_on_s: float,
    ) -> None:
        self._catalog = catalog
        self._reserve = reserve
        self._call_providers = call_providers
        self._settle = settle
        self._meter = meter
        self._providers = providers
        self._replay = replay
        self._elapsed_s = clock.elapsed_s
        self._read_on_s = read_on_s

    async def __call__(self, caller: Caller, request: ChatRequest, when_gone: WhenGone) -> "ChatStream | KeptStream":
        """Reserve, and wait for the first chunk. Raises: DomainError of any step; then no credit is held."""
        check_may_generate(caller)
        offers = offers_for(self._catalog, request)
        try:
            held = await self._reserve(caller, request, *offers[0])
        except AlreadyServed as served:
            return KeptStream(*await self._replay(caller, served))
        opening = partial(open_stream, self._providers, self._elapsed_s, self._read_on_s, when_gone)
        opened = await self._call_providers(held, offers, opening)
        held.dropped = dropped_of(held, self._providers)
        stream = ChatStream(
            held, opened, self._settle, self._meter, self._elapsed_s, self._read_on_s, self._call_providers.report
        )
        when_gone(stream.client_gone)
        return stream


MAX_KEPT_BACK_BYTES = 8 * 1024 * 1024
"""Of chunks that wait for the settle: as large as one event may be. The end of a choice is short; a provider that sends
more after it is cut off."""


class _Produced(msgspec.Struct):
    """The output so far. beginning: its first chunks, kept for an estimate."""

    output_bytes: int = 0
    beginning: list[bytes] = []
    beginning_bytes: int = 0
    finish_reason: str = ""
    usage: Usage | None = None
    raw_usage: bytes | None = None
    is_doubtful: bool = False
    provider_generation_id: str = ""

    def note(self, chunk: Chunk) -> None:
        self.output_bytes += chunk.output_bytes
        if self.beginning_bytes < MAX_KEPT_BYTES and chunk.output_bytes:
            self.beginning.append(chunk.data)
            self.beginning_bytes += len(chunk.data)
        if chunk.finish_reason:
            self.finish_reason = chunk.finish_reason
        if chunk.raw_usage is not None:  # each covers the stream so far
            self.usage, self.raw_usage, self.is_doubtful = chunk.usage, chunk.raw_usage, chunk.is_doubtful
        if chunk.provider_generation_id:
            self.provider_generation_id = chunk.provider_generation_id

    @property
    def is_nothing(self) -> bool:
        """No output, reasoning included, and no finish_reason: this is no answer, and costs nothing."""
        return not (self.output_bytes or self.finish_reason or output_tokens(self.usage or {}) > 0)


class _Ends:
    """Chunks that wait for the settle: of each choice, the one that ends it and all after it. Other chunks pass."""

    def __init__(self, choices: int) -> None:
        self._choices = choices
        self._ended: set[int] = set()
        self._bytes = 0
        self.kept: list[bytes] = []

    @property
    def have_all_come(self) -> bool:
        return len(self._ended) >= self._choices

    @property
    def are_too_long(self) -> bool:
        return self._bytes > MAX_KEPT_BACK_BYTES

    def keep(self, chunk: Chunk) -> bool:
        """Whether `chunk` must wait; if so, it is kept."""
        if chunk.is_last:
            self._ended.update(chunk.choices)
        elif not self._ended or not (self.have_all_come or self._ended.intersection(chunk.choices)):
            return False
        self.kept.append(chunk.data)
        self._bytes += len(chunk.data)
        return True


class ChatStream:
    """The chunks of one answer, in the batches in which they came; then its end.

    Iterate it to its end even if the client has gone: after `client_gone` it reads on for at most `read_on_s` to learn
    the usage, and bills what was produced and the silence until then, as weigh_silence.py weighs it. One timer bounds
    the reading, whatever the number of chunks.
    """

    def __init__(
        self,
        held: Held,
        opened: OpenedStream,
        settle: SettleCharge,
        meter: MeterAnswer,
        elapsed_s: Callable[[], float],
        read_on_s: float,
        report: Callable[[Held, ProviderFailure], None],
    ) -> None:
        self._held = held
        self._opened = opened
        self._settle = settle
        self._meter = meter
        self._elapsed_s = elapsed_s
        self._read_on_s = read_on_s
        self._report = report
        self._loop = asyncio.get_running_loop()
        now_s = elapsed_s()
        self._ttft_ms = round((now_s - held.started_s) * 1_000)
        read_for_s = (held.deadline_at - held.reserve.at).total_seconds()
        self._read_until_s = now_s + read_for_s
        self._timer = self._loop.call_later(read_for_s, self._run_out_of_time)
        self._reading = Interruptible()
        self._ran_out = opened.stream is None
        self._silence = Silence(opened.began_s)
        self._client_gone = False
        self._produced = _Produced()
        self._parts: list[bytes] = []
        self._kept_bytes = 0
        self._keeps = held.request.idempotency is not None
        self._ends = _Ends(held.request.choices)
        self._failure: ProviderFailure | None = None

    @property
    def generation_id(self) -> str:
        return self._held.generation_id

    @property
    def clamped_to(self) -> int | None:
        return self._held.clamped_to

    @property
    def dropped(self) -> tuple[str, ...]:
        return self._held.dropped

    @property
    def position(self) -> int:
        """Of the reserve: the settle's is not known when the headers leave."""
        return self._held.position

    def client_gone(self, gone_s: float) -> None:
        """gone_s: the Clock's `elapsed_s` when the client went."""
        self._client_gone = True
        by_s = gone_s + self._read_on_s
        if by_s < self._read_until_s:
            self._timer.cancel()
            self._timer = self._loop.call_later(by_s - self._elapsed_s(), self._run_out_of_time)

    async def __aiter__(self) -> AsyncIterator[Sequence[bytes] | Ended | BrokenOff]:
        try:
            chunks: Sequence[Chunk] | None = self._opened.first
            while chunks is not None:
                ready = self._note(chunks)
                if ready:
                    yield ready
                chunks = await self._next()
        finally:
            self._opened.close()
        self._timer.cancel()
        yield await self._end()

    def _run_out_of_time(self) -> None:
        self._ran_out = True
        self._reading.interrupt()

    def _note(self, chunks: Sequence[Chunk]) -> list[bytes]:
        """Count `chunks`; returns the data that may be sent at once."""
        ready: list[bytes] = []
        before = self._produced.output_bytes
        for chunk in chunks:
            self._produced.note(chunk)
            if chunk.data:
                if self._keeps:
                    self._keep(chunk.data)
                if not self._ends.keep(chunk):
                    ready.append(chunk.data)
        if self._produced.output_bytes > before:
            self._silence.end(self._elapsed_s())
        return ready

    def _keep(self, data: bytes) -> None:
        """Keep `data` for retries; an answer that becomes too large to store is no longer kept."""
        self._kept_bytes += len(data)
        self._parts.append(data)
        if self._kept_bytes > MAX_STORED_BYTES:
            self._keeps = False
            self._parts.clear()

    async def _next(self) -> Sequence[Chunk] | None:
        """The provider's next chunks, None at its end; `_failure` records a break or the deadline."""
        if self._ran_out or self._opened.stream is None:
            self._failure = failure_of(self._held.offer, TIMED_OUT)
            return None
        if self._ends.are_too_long:
            self._failure = failure_of(self._held.offer, TOO_LARGE)
            return None
        self._reading.is_under_way = True
        try:
            return await self._opened.stream.next()
        except ProviderFailure as failure:
            self._failure = failure
            self._produced.output_bytes += failure.unread_bytes
        except asyncio.CancelledError:
            # By our timer, or at the end of the drain: either way, what was produced is charged first.
            self._failure = failure_of(self._held.offer, TIMED_OUT if self._reading.was_interrupted() else CUT_OFF)
        finally:
            self._reading.is_under_way = False
        return None

    async def _end(self) -> Ended | BrokenOff:
        """Settle, then return the chunks that waited for it. A failure after the last finish_reason took no output."""
        failure = None if self._ends.have_all_come else self._failure
        is_left = self._ran_out and self._client_gone
        if self._failure is not None and self._failure.attempt.error_class != CUT_OFF and not is_left:
            self._report(self._held, self._failure)
        try:
            if failure is None:
                receipt = await self._settle(self._held, await self._outcome(None))
                return Ended(self._ends.kept, receipt, self._produced.raw_usage)
            charged = await self._settle_or_release(failure)
        except DomainError as refusal:
            return withheld(self._held, refusal)
        return broken_off(self._held, failure, charged, self._produced.raw_usage)

    async def _settle_or_release(self, failure: ProviderFailure) -> Receipt | None:
        """None if the credit was released: a failure before any output costs nothing."""
        unpaid = None
        is_billed = not self._produced.is_nothing or failure.attempt.error_class == CUT_OFF
        if is_billed or self._ran_out:  # else there is nothing to estimate
            outcome = self._weighed(msgspec.structs.replace(await self._outcome(failure), is_billed=is_billed))
            if outcome.is_billed:
                return await self._settle(self._held, outcome)
            unpaid = outcome.unpaid
        await self._settle.release(self._held, failure.attempt.error_class, failure.attempt, unpaid)
        return None

    def _weighed(self, outcome: Outcome) -> Outcome:
        """`outcome` with the silence before we gave up."""
        if not self._ran_out or not outcome.metered.estimated:
            return outcome
        silent_s = self._silence.total_s(self._elapsed_s())
        return weigh_silence(self._held, outcome, silent_s, "abandoned" if self._client_gone else "timed_out")

    async def _outcome(self, failure: ProviderFailure | None) -> Outcome:
        produced = self._produced
        kept = KeptAnswer(self.generation_id, self._parts, produced.raw_usage, self.clamped_to, self.dropped)
        metered = await self._meter(
            self._held, produced.usage, produced.output_bytes, produced.beginning, is_doubtful=produced.is_doubtful
        )
        return Outcome(
            metered=metered,
            finish_reason=produced.finish_reason,
            provider_generation_id=produced.provider_generation_id,
            ttft_ms=self._ttft_ms,
            cancelled=self._client_gone,
            error_class="" if failure is None else failure.attempt.error_class,
            answer=kept.encode() if self._parts and failure is None else None,
        )


class KeptStream:
    """The replay of a stream that was served before: the same chunks, the same charge."""

    def __init__(self, kept: KeptAnswer, receipt: Receipt) -> None:
        self._kept = kept
        self._receipt = receipt
        self.generation_id = kept.generation_id
        self.clamped_to = kept.clamped_to
        self.dropped = kept.dropped
        self.position = receipt.position

    async def __aiter__(self) -> AsyncIterator[Ended]:
        yield Ended(self._kept.parts, self._receipt, self._kept.raw_usage)
