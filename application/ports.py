"""What the use cases need from the world. Adapters implement these; only adapters.wiring knows which is which."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec
from msgspec import Raw

from domain.account.events import AccountState
from domain.api_key.events import Environment, KeyKind
from domain.catalog.offer import Offer
from domain.claim import Claim
from domain.credit.events import Attempt
from domain.credit.window import KeyLimit
from domain.decider import Decider
from domain.event import Command, Event
from domain.pricing.usage import Usage

# ---- the world's time and names


class Clock(Protocol):
    """The only source of time. UTC."""

    def now(self) -> datetime: ...


class Ids(Protocol):
    """The only source of randomness for names."""

    def new(self) -> UUID:
        """A UUIDv7: sorts by the time it was made."""
        ...

    def secret(self) -> str:
        """43 url-safe characters with 256 bits of randomness."""
        ...


# ---- the ledger: the one way to write


class StoredAnswer(msgspec.Struct, frozen=True):
    """An answer kept for idempotent retries, sealed under the account's data key, written with its settle."""

    account_id: str
    command_id: UUID
    sealed: bytes
    expires_at: datetime


class Recorded(msgspec.Struct, frozen=True):
    """What a command came to.

    events:       what it decided, as stored.
    position:     of its last event in the log; 0 if it decided nothing.
    seen_before:  true if this command id had been recorded by an earlier call: these are that call's events.
    """

    events: tuple[Event, ...]
    position: int
    seen_before: bool = False


class Ledger(Protocol):
    """Load -> decide -> append, in group commits. Returns only after the commit."""

    async def transact(
        self,
        decider: Decider,
        owner_id: str,
        command: Command,
        *,
        command_id: UUID,
        correlation_id: UUID | None = None,
        input_hash: bytes | None = None,
        claims: Sequence[Claim] = (),
        releases: Sequence[Claim] = (),
        answer: StoredAnswer | None = None,
        sheddable: bool = False,
    ) -> Recorded:
        """Decide `command` on the stream's newest state and record the outcome, once for ever per `command_id` (P5).

        input_hash: what the command id stands for; None hashes the command itself without its time.
        claims:     refused with DomainError claim_taken(kind) if another stream holds one; releases give them up.
        sheddable:  may be refused with DomainError overloaded when the append queue is full; settles never are.
        Raises:     DomainError of `decide`; command_id_reused if the id was recorded with another input hash;
                    ledger_unavailable when the database stays out of reach and nothing is known to be recorded.
        Cancelling the caller does not withdraw the command.
        """
        ...

    async def state_of(self, decider: Decider, owner_id: str) -> Any:
        """Fold the stream as the log has it now, not as a cache has it."""
        ...

    async def recall(self, command_ids: Sequence[UUID]) -> Mapping[UUID, Recorded]:
        """What earlier commands came to, for those of `command_ids` that were recorded."""
        ...

    async def holder_of(self, claim: Claim) -> str | None:
        """The stream that holds `claim`."""
        ...


class AnswerStore(Protocol):
    """Answers kept for idempotent retries. Written only by the ledger, inside a settle's transaction."""

    async def find(self, command_id: UUID, now: datetime) -> bytes | None:
        """The sealed answer, or None if it was never stored or is past its time."""
        ...


class PersonalData(Protocol):
    """Sealing under per-account data keys, which live outside the log: dropping one erases the account's data."""

    async def create_key(self, account_id: str) -> None: ...

    async def seal(self, account_id: str, data: bytes) -> bytes:
        """Raises: DomainError account_erased if the account's data key is gone; account_unreadable if what is in its
        place is not the account's."""
        ...

    async def commitment(self, account_id: str) -> bytes:
        """To the account's data key (domain.proof.commitment). Raises: as `seal`."""
        ...

    async def open(self, account_id: str, sealed: bytes) -> bytes:
        """What was sealed; b"erased" if the account's data key is gone; b"cannot be read" if another account's key
        is in its place, or what was sealed was changed. Views show these words; `verify` finds the cause."""
        ...

    def keyed_hash(self, kind: str, value: str) -> bytes:
        """HMAC-SHA256 under the pepper; `kind` separates the name spaces."""
        ...


# ---- who is calling


class Caller(msgspec.Struct, frozen=True):
    """A key that was accepted, and the account behind it."""

    key_id: str
    account_id: str
    kind: KeyKind
    environment: Environment
    account_state: AccountState
    limit: KeyLimit | None = None


class KeyDirectory(Protocol):
    def remembered(self, secret: str) -> Caller | None:
        """The caller, if that is known without asking anybody. Raises as `authenticate` does."""
        ...

    async def authenticate(self, secret: str) -> Caller:
        """Find the caller; never older than one second behind a revocation (DESIGN §5).

        Raises: DomainError invalid_api_key, api_key_disabled, api_key_expired, account_not_served; ledger_unavailable
                if the key had to be looked up and that took too long.
        """
        ...


# ---- the providers


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer of a provider.

    body:    its JSON with our generation id and canonical model in place, and no `usage` of ours yet.
    usage:   billed counts; None if the provider sent none, without a side that it did not tell. Not yet checked: it may
             be negative or absurd.
    is_doubtful: the provider's total contradicts its parts, or explains them in more than one way.
    """

    body: bytes
    usage: Usage | None
    raw_usage: bytes | None
    is_doubtful: bool = False
    finish_reason: str = ""
    provider_generation_id: str = ""
    output_bytes: int = 0


NEXT_EVENT = b"\n\ndata: "
"""Between the events of one chunk, as between server-sent events. No JSON has it: texts hold no line end as it is, and
between tokens there are no names."""


class Chunk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of a provider's stream, or several in a row that bring text and nothing else.

    data:         the JSON of each with our id and model spliced in, on one line, NEXT_EVENT between them; empty for a
                  chunk that carries only usage.
    choices:      indexes of the choices that it is about; empty if of none.
    is_bare:      it brings no output yet: a role, an empty text. Until others come, another provider may be tried.
    is_last:      these choices have finished: it waits for the settle, and so does all that follows of them.
    output_bytes: UTF-8 bytes of text, reasoning and tool arguments in it, for estimates.
    usage, is_doubtful: as in Answer, of all that the stream has told by then.
    """

    data: bytes
    choices: tuple[int, ...] = (0,)
    is_bare: bool = False
    is_last: bool = False
    finish_reason: str = ""
    usage: Usage | None = None
    raw_usage: bytes | None = None
    is_doubtful: bool = False
    output_bytes: int = 0
    provider_generation_id: str = ""


class Told(msgspec.Struct, frozen=True):
    """A provider's own words about a request that it refused. Empty where it said nothing."""

    message: str = ""
    param: str | None = None
    code: str = ""
    is_about_length: bool = False


class ProviderFailure(Exception):
    """A provider did not answer, or broke off.

    attempt:           what the ledger keeps of it.
    fails_over:        whether the next offer may be tried (PRODUCT §5).
    told:              the provider refused the request itself (400, 422), which is the client's to mend: why.
    words:             what the provider said of its failure, if the client may know: quoted where a stream breaks off.
    retry_after_s:     when the same call may succeed; None if repeating it is in vain.
    unread_bytes:      of an answer, or an event, that is too large to pass on: what came of it. It was produced, so it
                       is charged, by estimate.
    """

    def __init__(
        self,
        attempt: Attempt,
        *,
        fails_over: bool,
        told: Told | None = None,
        words: str = "",
        retry_after_s: int | None = None,
        unread_bytes: int = 0,
    ) -> None:
        super().__init__(f"{attempt.provider}: {attempt.error_class} (status {attempt.status})")
        self.attempt = attempt
        self.fails_over = fails_over
        self.told = told
        self.words = words
        self.retry_after_s = retry_after_s
        self.unread_bytes = unread_bytes


class ChatCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call of one offer.

    members:        of the client's body in their order, names decoded, values as they came.
    generation_id:  ours, `gen-<uuid7>`, spliced into what comes back.
    account_id:     who pays, for shares of a provider; never sent.
    max_tokens:     output tokens granted per choice: rewritten in the field the client used, or injected.
    timeout_s:      until the request's deadline; a stream's chunks are waited for by whoever reads them.
    """

    offer: Offer
    members: Sequence[tuple[str, Raw]]
    generation_id: str
    max_tokens: int
    timeout_s: float
    account_id: str = ""


class ChatProviders(Protocol):
    """Calls offers. `complete` and `stream` raise ProviderFailure; neither retries."""

    async def complete(self, call: ChatCall) -> Answer: ...

    def stream(self, call: ChatCall) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Chunk]]]:
        """Entering sends the request and waits for its headers; leaving closes the connection.

        Chunks that arrived together come together, never none: what costs per read then costs once. The deadline bounds
        entering; a reader that has waited long enough is cancelled.
        """
        ...

    def dropped(self, offer: Offer, names: Iterable[str]) -> tuple[str, ...]:
        """Parameters of these `names` that this offer's provider is not sent, in order of their names."""
        ...


class CountedText(NamedTuple):
    tokens: int
    text_bytes: int


class TokenCounter(Protocol):
    """Counts tokens for estimates, beside those who are served."""

    async def count(self, read: Callable[[], str]) -> CountedText | None:
        """Of the text that `read` returns, called in a thread. None if too many wait, or it cannot be counted."""
        ...


class Catalog(Protocol):
    """The models on sale. In memory, so no waiting."""

    def offers_of(self, model: str) -> Sequence[Offer]:
        """Offers of a model, best first; empty if nobody serves it."""
        ...

    def models(self) -> Sequence[Offer]:
        """The first offer of every model, by model id."""
        ...

    def nearest(self, model: str) -> Sequence[str]:
        """Ids on sale that `model`, which is none, may have meant; best first, three at most."""
        ...


# ---- what operators see


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was not answered as asked. `message` is the client's; the rest says which request it was, as far
    as it was read."""

    code: str
    status: int
    message: str
    request_id: str
    method: str = ""
    path: str = ""
    generation_id: str = ""


class Telemetry(Protocol):
    """Spans and counters of the request path. Never sees prompt or answer text, nor a secret."""

    def join(self, traceparent: str) -> None:
        """The spans of the running task belong to the trace that a client's `traceparent` header names."""
        ...

    def span(self, name: str, correlation_id: str) -> AbstractContextManager[None]:
        """One of "reserve", "provider call", "settle" for the request `correlation_id`."""
        ...

    def settled(self, model: str, provider: str, cost_nusd: int, *, estimated: bool, streamed: bool) -> None: ...

    def refused(self, refusal: Refusal) -> None:
        """A request that was refused, or failed after its answer had begun."""
        ...

    def provider_failed(self, model: str, generation_id: str, attempt: Attempt) -> None:
        """A call of a provider that did not answer, or broke off; not one that refused the request itself."""
        ...

    def fell_short(self, account_id: str, amount_nusd: int, owed_nusd: int) -> None:
        """`amount_nusd` of a charge found no credit; `owed_nusd` is what the account owes now, this included."""
        ...
