"""Everything the HTTP surface needs, as one value that wiring fills: it knows no settings and no outbound adapter."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from adapters.inbound.http.edge.addresses import Addresses
from adapters.inbound.http.edge.failed_tries import FailedTries
from adapters.inbound.http.edge.shares import AccountShares
from adapters.inbound.http.edge.strangers import Strangers
from adapters.inbound.http.server.body_budget import BodyBudget
from application.ports.catalog import Catalog
from application.ports.chat_providers import ChatProviders
from application.ports.clock import Clock
from application.ports.key_directory import KeyDirectory
from application.ports.ledger import Ledger
from application.ports.personal_data import PersonalData
from application.ports.telemetry import Telemetry
from application.reads.reads import Reads
from application.use_cases import Inference, UseCases


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one request, and the pages that may send it.

    body_timeout_s:  a body that takes longer to arrive is given up: a slow sender may not keep a connection for ever.
    keep_alive_s:    silence in a stream until a comment is sent.
    stall_s:         a streaming client that takes nothing for so long counts as gone: its answer is billed and ends.
    patience_s:      for any other answer; the ledger counts as out of reach then.
    cors_origins:    as Cors reads them.
    """

    body_bytes: int = 32 * 1024 * 1024
    body_timeout_s: float = 60.0
    keep_alive_s: float = 15.0
    stall_s: float = 60.0
    patience_s: float = 10.0
    cors_origins: str = "*"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One line of /ready. One that is not required informs (such as "runs as one role") and never fails readiness."""

    name: str
    passed: bool
    detail: str = ""
    required: bool = True


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases and ports behind the routes.

    is_admin:   whether a secret is the admin key; compares in constant time.
    readiness:  runs the checks behind /ready; each check bounds its own time.
    metrics:    Prometheus text and its content type.
    bodies:     what this process may hold of bodies in flight.
    is_out_of_reach: whether an exception of a port means only that the database is away.
    accounts, tries, strangers: bounds on an account, on an address, and on all requests without a key.
    version:    of the product, as the OpenAPI document names it.
    """

    keys: KeyDirectory
    use_cases: UseCases
    inference: Inference
    reads: Reads
    catalog: Catalog
    providers: ChatProviders
    ledger: Ledger
    personal_data: PersonalData
    clock: Clock
    telemetry: Telemetry
    is_admin: Callable[[str], bool]
    readiness: Callable[[], Awaitable[Sequence[Check]]]
    metrics: Callable[[], tuple[bytes, str]]
    bodies: BodyBudget
    is_out_of_reach: Callable[[Exception], bool] = lambda fault: False
    limits: Limits = Limits()
    accounts: AccountShares = msgspec.field(default_factory=AccountShares)
    tries: FailedTries = msgspec.field(default_factory=FailedTries)
    strangers: Strangers = msgspec.field(default_factory=lambda: Strangers(Addresses()))
    version: str = "0"
