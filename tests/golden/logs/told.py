"""What is kept beside a dumped log: its secrets, the time when it was left, and what its commands came to then."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

FOLDER = Path(__file__).parent
DUMP = "log.dump"
TOLD = "told.json"


class ToldSecrets(msgspec.Struct, frozen=True):
    """Made for this log and used nowhere else."""

    pepper: str
    keyring: tuple[str, ...]


class ToldAccount(msgspec.Struct, frozen=True):
    """An account when the log was left; `available_nusd` at `Told.clock`."""

    account_id: str
    username: str
    email: str
    posted_nusd: int
    held_nusd: int
    available_nusd: int


class ToldKey(msgspec.Struct, frozen=True):
    """A key; `secret` is its newest. `refusal`: the code that its secret meets at `Told.clock`, "" if it opens."""

    key_id: str
    account_id: str
    label: str
    secret: str
    refusal: str


class ToldGrant(msgspec.Struct, frozen=True):
    """A grant as it was asked for, and the position of its event."""

    grant: str
    account_id: str
    amount_nusd: int
    kind: str
    reason: str
    expires_at: str | None
    position: int


class ToldAnswer(msgspec.Struct, frozen=True):
    """A request with an Idempotency-Key, and the answer that it got."""

    account_id: str
    key_id: str
    idempotency_key: str
    request: str
    answer: str
    paid_nusd: int = msgspec.field(name="cost_nusd")
    position: int


class ToldChange(msgspec.Struct, frozen=True):
    """A change of an account's state as it was asked for, and the position of its event."""

    change: str
    account_id: str
    state: str
    reason: str
    position: int


class Told(msgspec.Struct, frozen=True):
    commit: str
    clock: datetime
    secrets: ToldSecrets
    events: dict[str, int]
    accounts: list[ToldAccount]
    keys: list[ToldKey]
    grants: list[ToldGrant]
    answers: list[ToldAnswer]
    changes: list[ToldChange] = []


class GoldenLog(NamedTuple):
    folder: Path

    @property
    def dump(self) -> Path:
        return self.folder / DUMP

    @property
    def told(self) -> Told:
        return msgspec.json.decode((self.folder / TOLD).read_bytes(), type=Told)


def golden_logs() -> list[GoldenLog]:
    """One a folder; a later version's is a folder more."""
    return [GoldenLog(path.parent) for path in sorted(FOLDER.glob(f"*/{DUMP}"))]
