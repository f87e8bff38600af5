"""Prove the ledger: the log is whole, and everything that claims to follow from it does (P4, P7).

All of it is judged on one pinned snapshot, so that appends and projections may go on meanwhile.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from application.reads.lag import MAX_LAG_S
from domain.proof.access import Access
from domain.proof.finding import Check, Clamped, Finding

CAUSES_FIRST: tuple[Check, ...] = (
    "log",
    "chain",
    "commands",
    "money",
    "snapshots",
    "read_models",
    "claims",
    "data_keys",
    "parked",
    "lag",
)


class ReadModelState(msgspec.Struct, frozen=True):
    """Where a build of a read model stands.

    lag_s:      the age of the first event that it does not hold yet; 0 at the head.
    is_active:  readers use this build; any other is a new one that is being built, or an old one until it is retired.
    """

    name: str
    position: int
    lag_s: float
    version: int = 1
    is_active: bool = True


class ParkedAccount(msgspec.Struct, frozen=True):
    """An account whose figures in a read model are not provable beyond `position`."""

    read_model: str
    account: str
    position: int
    error: str


class LedgerState(msgspec.Struct, frozen=True):
    """What the snapshot says of itself. `runs_as_one_role`: no roles keep the log's readers from writing it."""

    head: int
    read_models: Sequence[ReadModelState]
    parked: Sequence[ParkedAccount]
    runs_as_one_role: bool


class Examined(msgspec.Struct, frozen=True):
    """What an examination found. `clamped` is no fault: values that old versions recorded outside their range."""

    findings: Sequence[Finding]
    clamped: Sequence[Clamped] = ()
    access: Access | None = None


class Evidence(Protocol):
    """One pinned snapshot of a ledger."""

    def state(self) -> LedgerState: ...

    def examine(self) -> Examined:
        """What is wrong with log, chain, commands, snapshots, money and read models: every event that cannot be read,
        of each other thing the first fault."""
        ...


class Report(msgspec.Struct, frozen=True):
    """The verdict: clean only without findings. Causes come before what follows from them: log, then read models; of
    one kind, the lowest position first."""

    state: LedgerState = msgspec.field(name="standing")
    findings: Sequence[Finding]
    clamped: Sequence[Clamped] = ()
    access: Access | None = None

    @property
    def is_clean(self) -> bool:
        return not self.findings

    @property
    def first(self) -> Finding | None:
        """The first bad position or row."""
        return self.findings[0] if self.findings else None


def verify_ledger(evidence: Evidence, max_lag_s: float = MAX_LAG_S) -> Report:
    state = evidence.state()
    examined = evidence.examine()
    found = [*examined.findings, *_parked(state), *_lagging(state, max_lag_s)]
    return Report(state, sorted(found, key=_order), examined.clamped, examined.access)


def _order(finding: Finding) -> tuple[int, bool, int]:
    return CAUSES_FIRST.index(finding.check), finding.position is None, finding.position or 0


def _parked(state: LedgerState) -> Iterable[Finding]:
    for parked in state.parked:
        message = f"figures of account {parked.account} are not provable beyond this: {parked.error}"
        yield Finding("parked", message, parked.position, f"read model {parked.read_model}")


def _lagging(state: LedgerState, max_lag_s: float) -> Iterable[Finding]:
    """A read model beyond the head is proof that the log was longer once. Only what readers use must be up to date."""
    for model in state.read_models:
        place = f"read model {model.name}" if model.is_active else f"read model {model.name} v{model.version}"
        if model.position > state.head:
            message = f"the log was truncated: it ends at {state.head}, this stands at {model.position}"
            yield Finding("log", message, state.head + 1, place)
        elif model.is_active and model.lag_s > max_lag_s:
            message = f"lags {model.lag_s:.1f} s behind the head ({state.head})"
            yield Finding("lag", message, model.position + 1, place)
