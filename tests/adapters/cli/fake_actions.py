"""Processes and use cases that remember what was asked of them and answer from memory."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from adapters.inbound.cli.actions import DemoAccess
from adapters.inbound.cli.render.banner import Started
from application.accounts.change_account_state import ChangeAccountState, ChangedAccountState
from application.accounts.list_accounts import AccountLine
from application.accounts.open_account import OpenedAccount
from application.accounts.show_account import ShownAccount
from application.audit.verify_ledger import LedgerState, ReadModelState, Report
from application.credit.grant_credit import GrantedLot
from application.credit.show_statement import ShownLot, ShownStatement
from application.keys.change_key import ChangedSettings
from application.keys.issue_key import IssuedKey
from application.keys.shown_key import ShownKey
from application.reads.credits import Credits
from application.reads.generations import GenerationRecord
from application.use_cases import UseCases
from application.write import Asked
from domain.credit.lot import Lot, Part
from domain.pricing.rate import ChargeLine
from domain.proof.finding import Finding

T = TypeVar("T")
R = TypeVar("R")

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

KEY = ShownKey(
    key_id="key-1",
    account_id="acc-1",
    label="laptop [bold]",
    kind="inference",
    environment="live",
    last4="wxyz",
    disabled=False,
    issued_at=AT,
    changed_at=AT,
    expires_at=None,
    limit_nusd=1_500_000_000,
    limit_window="daily",
    limit_remaining_nusd=1_499_955_000,
    spent_nusd=45_000,
    spent_daily_nusd=45_000,
    spent_weekly_nusd=45_000,
    spent_monthly_nusd=45_000,
    requests=1,
)
CREDITS = Credits(account_id="acc-1", granted_nusd=10**10, settled_nusd=45_000, posted_nusd=10**10 - 45_000)
LOT = ShownLot(
    lot_id="lot-0001",
    kind="promo",
    priority=30,
    granted_nusd=10**10,
    burnt_nusd=45_000,
    expired_nusd=0,
    held_nusd=0,
    available_nusd=10**10 - 45_000,
    granted_at=AT,
    expires_at=None,
    source="operator",
    reason="credit to try things with",
    position=2,
)
SETTLED = GenerationRecord(
    reservation_id="01a205dc-a9c1-7499-bc2c-93cb07590f86",
    account_id="acc-1",
    key_id="key-1",
    status="settled",
    reserve_position=4,
    end_position=5,
    reserved_at=AT,
    ended_at=AT,
    requested_model="sandbox/echo",
    model="sandbox/echo",
    provider="sandbox",
    app="",
    title=b"",
    replaces="",
    streamed=True,
    granted_tokens=4096,
    requested_tokens=4096,
    deadline_at=AT,
    expires_at=AT,
    holds=(Part("lot-0001", 2_475_600),),
    reserved_nusd=2_475_600,
    paid_nusd=45_000,
    shortfall_nusd=0,
    charge_nusd=45_000,
    provider_cost_nusd=45_000,
    price_version="sandbox-1",
    rounding="half-even",
    burnt=(Part("lot-0001", 45_000),),
    lines=(ChargeLine("input", 100, 150_000_000), ChargeLine("output", 50, 600_000_000)),
    usage={"input": 100, "output": 50},
    reason="",
    provider_generation_id="p-1",
    finish_reason="stop",
    error_class="",
    ttft_ms=10,
    total_ms=20,
    estimated=False,
    quarantined=False,
    cancelled=False,
)
STARTED = Started(
    url="http://127.0.0.1:8000",
    admin_key="gw_admin_a",
    demo_key="gw_test_d",
    model="sandbox/echo",
    home=Path("/h"),
    data="/h",
    providers=("openai (key from OPENAI_API_KEY)",),
    sandbox="the sandbox is off",
)


LINE = AccountLine(account_id="acc-1", username="alice", email="alice@example.com", state="active", opened_at=AT)
ACCOUNT = ShownAccount(
    account_id="acc-1",
    username="demo",
    email="demo@example.com",
    state="active",
    opened_at=AT,
    available_nusd=CREDITS.available_nusd,
    posted_nusd=CREDITS.posted_nusd,
    held_nusd=0,
    owed_nusd=0,
    unpaid_work_nusd=0,
    lots=[Lot("lot-0001", "promo", 30, 0, 10**10 - 45_000)],
    open_reservations={},
    credits=CREDITS,
    keys=[KEY],
)
STATEMENT = ShownStatement(
    account_id="acc-1",
    username="demo",
    available_nusd=CREDITS.available_nusd,
    credits=CREDITS,
    lots=[LOT],
    requests=[SETTLED],
    position=7,
)


class FakeActions:
    """asked: (use case, arguments) in order."""

    def __init__(self, findings: Sequence[Finding] = ()) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._findings = findings

    def serve(self, on_start: Callable[[Started], None]) -> int:
        on_start(STARTED)
        return 0

    def api(self) -> int:
        return 3

    def projector(self) -> int:
        return 4

    def migrate(self) -> Sequence[str]:
        return ["0001_ledger.sql"]

    def database_url(self, process: str) -> str:
        return f"postgresql://{process}@host/db"

    def rotate_keyring(self) -> tuple[int, int]:
        return 7, 3

    def rotate_derivation_secret(self) -> None:
        self.asked.append(("rotate derivation secret",))

    def verify(self) -> Report:
        return Report(LedgerState(7, [ReadModelState("generation", 7, 0.0)], [], False), self._findings)

    def credentials(self) -> Mapping[str, str]:
        return {"base_url": "http://127.0.0.1:8000", "admin_key": "gw_admin_a", "demo_key": "gw_test_d"}

    def demo_access(self) -> DemoAccess:
        raise AssertionError("needs a running API: tests/e2e")

    def operate(self, deed: Callable[[UseCases], Awaitable[T]]) -> T:
        async def run() -> T:
            return await deed(self._use_cases())

        return asyncio.run(run())

    def _use_cases(self) -> UseCases:
        """Each remembers its name and arguments, and answers what it is told here."""
        answers: dict[str, object] = {
            "open_account": OpenedAccount("acc-1", 8),
            "find_account": "acc-1",
            "show_account": ACCOUNT,
            "grant_credit": GrantedLot("lot-0002", 12, 22_345_678_901),
            "show_statement": STATEMENT,
            "issue_key": IssuedKey(KEY, "gw_live_secret", 9),
            "find_key": "key-1",
            "list_keys": [KEY],
            "show_key": KEY,
            "change_key": ChangedSettings(KEY, 10),
            "rotate_key": IssuedKey(KEY, "gw_live_new", 10),
            "revoke_key": 11,
        }
        made: dict[str, Any] = {name: self._answers(name, answers.get(name)) for name in UseCases.__struct_fields__}
        made |= {"list_accounts": self._list_accounts, "change_account_state": self._change_account_state}
        return UseCases(**made)

    def _answers(self, name: str, result: R) -> Callable[..., Awaitable[R]]:
        async def answer(*arguments: object) -> R:
            self.asked.append((name, *arguments))
            return result

        return answer

    async def _list_accounts(self, after: str, limit: int) -> Sequence[AccountLine]:
        return [] if after else [LINE]

    async def _change_account_state(
        self, account_id: str, wanted: ChangeAccountState, asked: Asked
    ) -> ChangedAccountState:
        """Every account is suspended already."""
        self.asked.append(("change_account_state", account_id, wanted, asked))
        return ChangedAccountState(account_id, wanted.state, 0 if wanted.state == "suspended" else 13)
