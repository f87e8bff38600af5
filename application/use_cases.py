"""Builds every use case on its ports, in one place.

Wiring, the command line and tests call these functions; no other code builds a use case.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import msgspec

from application.accounts.change_account_state import ChangeAccountState, ChangedAccountState, change_account_state
from application.accounts.find_account import find_account
from application.accounts.list_accounts import AccountLine, list_accounts
from application.accounts.open_account import OpenAccount, OpenedAccount, open_account
from application.accounts.show_account import ShowAccount, ShownAccount, show_account
from application.credit.expire_due import expire_due
from application.credit.grant_credit import GrantCredit, GrantedLot, grant_credit
from application.credit.show_statement import ShownStatement, ShowStatement, show_statement
from application.generate.call_providers import CallProviders
from application.generate.complete_chat import CompleteChat
from application.generate.keep_answer import ReplayAnswer
from application.generate.kept_bytes import KeptBytes
from application.generate.metering.estimate_tokens import MeterAnswer
from application.generate.request.check_large_body import CheckLargeBody
from application.generate.reserve_credit import Deadlines, ReserveCredit
from application.generate.settle_charge import SettleCharge
from application.generate.stream_chat import StreamChat
from application.keys.change_key import ChangedSettings, ChangeKey, change_key
from application.keys.find_key import find_key
from application.keys.issue_key import IssuedKey, IssueKey, issue_key
from application.keys.list_keys import ListKeys, list_keys
from application.keys.revoke_key import revoke_key
from application.keys.rotate_key import RotateKey, rotate_key
from application.keys.show_key import show_key
from application.keys.shown_key import ShownKey
from application.ports.answers import AnswerStore
from application.ports.catalog import Catalog
from application.ports.chat_providers import ChatProviders
from application.ports.clock import Clock
from application.ports.ledger import Ledger
from application.ports.telemetry import Telemetry
from application.ports.token_counter import TokenCounter
from application.reads.due import DueReads
from application.write import Asked, Ports
from domain.credit.unpaid import UnpaidLimit

P = ParamSpec("P")
R = TypeVar("R")


class UseCases(msgspec.Struct, frozen=True, kw_only=True):
    """Use cases for accounts, credit and keys. Arguments: the account's id, the key's id, the input, the actor."""

    open_account: Callable[[OpenAccount, Asked], Awaitable[OpenedAccount]]
    find_account: Callable[[str], Awaitable[str]]
    list_accounts: Callable[[str, int], Awaitable[Sequence[AccountLine]]]
    show_account: Callable[[str, ShowAccount], Awaitable[ShownAccount]]
    change_account_state: Callable[[str, ChangeAccountState, Asked], Awaitable[ChangedAccountState]]
    grant_credit: Callable[[str, GrantCredit, Asked], Awaitable[GrantedLot]]
    show_statement: Callable[[str, ShowStatement], Awaitable[ShownStatement]]
    issue_key: Callable[[str, IssueKey, Asked], Awaitable[IssuedKey]]
    find_key: Callable[[str, str], Awaitable[str]]
    list_keys: Callable[[str, ListKeys], Awaitable[Sequence[ShownKey]]]
    show_key: Callable[[str, str], Awaitable[ShownKey]]
    change_key: Callable[[str, str, ChangeKey, Asked], Awaitable[ChangedSettings]]
    rotate_key: Callable[[str, str, RotateKey, Asked], Awaitable[IssuedKey]]
    revoke_key: Callable[[str, str], Awaitable[int]]


def use_cases(ports: Ports) -> UseCases:
    return UseCases(
        open_account=_on(ports, open_account),
        find_account=_on(ports, find_account),
        list_accounts=_on(ports, list_accounts),
        show_account=_on(ports, show_account),
        change_account_state=_on(ports, change_account_state),
        grant_credit=_on(ports, grant_credit),
        show_statement=_on(ports, show_statement),
        issue_key=_on(ports, issue_key),
        find_key=_on(ports, find_key),
        list_keys=_on(ports, list_keys),
        show_key=_on(ports, show_key),
        change_key=_on(ports, change_key),
        rotate_key=_on(ports, rotate_key),
        revoke_key=_on(ports, revoke_key),
    )


def _on(ports: Ports, use_case: Callable[Concatenate[Ports, P], R]) -> Callable[P, R]:
    return partial(use_case, ports)


class InferencePorts(NamedTuple):
    """The ports of generations, in addition to Ports."""

    answers: AnswerStore
    catalog: Catalog
    providers: ChatProviders
    counter: TokenCounter
    telemetry: Telemetry


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The limits and deadlines of generations.

    unpaid_limit:    None: unpaid work is unlimited.
    kept:            the limit on stored answers per account, with the current amounts.
    keep_answers_s:  how long an answer is stored for retries; 0: not at all.
    read_on_s:       how long we keep reading from a provider after the client disconnects.
    """

    deadlines: Deadlines
    unpaid_limit: UnpaidLimit | None = None
    kept: KeptBytes
    keep_answers_s: float
    read_on_s: float


class Inference(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a generation, and the use cases that take them. Hot path: callers keep the fields, not this."""

    reserve: ReserveCredit
    settle: SettleCharge
    complete_chat: CompleteChat
    stream_chat: StreamChat
    check_large_body: CheckLargeBody


def inference(ports: Ports, more: InferencePorts, terms: Terms) -> Inference:
    ledger, personal_data, _, clock, ids = ports
    telemetry, deadlines = more.telemetry, terms.deadlines
    reserve = ReserveCredit(ledger, personal_data, clock, ids, telemetry, deadlines, terms.unpaid_limit)
    settle = SettleCharge(ledger, clock, personal_data, telemetry, terms.keep_answers_s, terms.kept)
    meter = MeterAnswer(more.counter)
    calls = CallProviders(ledger, clock, settle, meter, telemetry)
    replay = ReplayAnswer(more.answers, personal_data, clock)
    parts = (more.catalog, reserve, calls, settle, meter, more.providers, replay, clock)
    return Inference(
        reserve=reserve,
        settle=settle,
        complete_chat=CompleteChat(*parts),
        stream_chat=StreamChat(*parts, terms.read_on_s),
        check_large_body=CheckLargeBody(ledger, clock),
    )


def expiry(ledger: Ledger, due: DueReads, clock: Clock) -> Callable[[], Awaitable[int]]:
    """One turn of the expiry loop; it needs no personal data."""
    return partial(expire_due, ledger, due, clock)
