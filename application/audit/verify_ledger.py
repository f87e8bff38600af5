"""Prove the ledger: the log is whole, and all derived data follows from it (P4, P7).

All checks read one pinned snapshot, so that appends and projections may continue.
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
    """The progress of a build of a read model.

    lag_s:      the age of the first event that is not projected yet; 0 at the head.
    is_active:  readers use this build. An inactive build is new and not complete yet, or old and not retired yet.
    """

    name: str
    position: int
    lag_s: float
    version: int = 1
    is_active: bool = True


class ParkedAccount(msgspec.Struct, frozen=True):
    """An account in a read model: its figures are not provable beyond `position`."""

    read_model: str
    account: str
    position: int
    error: str


class LedgerState(msgspec.Struct, frozen=True):
    """The state of the snapshot. runs_as_one_role: no separate roles prevent readers of the log from writing to it."""

    head: int
    read_models: Sequence[ReadModelState]
    parked: Sequence[ParkedAccount]
    runs_as_one_role: bool


class Examined(msgspec.Struct, frozen=True):
    """The result of an examination. clamped: values that old versions recorded outside their range; not a fault."""

    findings: Sequence[Finding]
    clamped: Sequence[Clamped] = ()
    access: Access | None = None


class Evidence(Protocol):
    """One pinned snapshot of a ledger."""

    def state(self) -> LedgerState: ...

    def examine(self) -> Examined:
        """Find faults in log, chain, commands, snapshots, money and read models.

        Returns every unreadable event, and the first fault of each other check.
        """
        ...


class Report(msgspec.Struct, frozen=True):
    """The verdict: clean only without findings. Findings are sorted causes first, such as the log before read models;
    within one check, by position."""

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
    """A read model beyond the head proves that the log was longer once. Only active builds must be current."""
    for model in state.read_models:
        place = f"read model {model.name}" if model.is_active else f"read model {model.name} v{model.version}"
        if model.position > state.head:
            message = f"the log was truncated: it ends at {state.head}, this stands at {model.position}"
            yield Finding("log", message, state.head + 1, place)
        elif model.is_active and model.lag_s > max_lag_s:
            message = f"lags {model.lag_s:.1f} s behind the head ({state.head})"
            yield Finding("lag", message, model.position + 1, place)
