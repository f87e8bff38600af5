"""Use cases about accounts and their credit, on the ports' fakes."""

import pytest

from application.accounts.change_account_state import ChangeAccountState
from application.accounts.show_account import ShowAccount
from application.credit.grant_credit import GrantCredit
from application.credit.show_statement import MAX_REQUESTS, ShowStatement
from application.sealed import Sealed
from domain.errors import DomainError
from domain.lot_kind import LotKind
from tests.fakes.reads.reads import memory_reads
from tests.rigs.seam import ADMIN, Seam

REASON = "goodwill after an outage"


async def grant(seam: Seam, account_id: str, amount_usd: str, kind: LotKind = "promo") -> None:
    wanted = GrantCredit(amount_usd=amount_usd, kind=kind, reason=Sealed(REASON))
    await seam.use_cases.grant_credit(account_id, wanted, ADMIN)


async def test_an_account_is_shown_with_its_names_credit_lots_and_keys() -> None:
    seam = Seam()
    ada, bob = await seam.sign_up("ada"), await seam.sign_up("bob")
    await grant(seam, bob, "7")
    await grant(seam, ada, "2", "purchased")
    await grant(seam, ada, "1")
    await seam.issue(ada, "first")
    shown = await seam.use_cases.show_account(ada, ShowAccount())
    assert (shown.username, shown.email, shown.state) == ("ada", "ada@example.com", "active")
    assert (shown.available_nusd, shown.posted_nusd, shown.held_nusd, shown.owed_nusd) == (3 * 10**9, 3 * 10**9, 0, 0)
    assert [(lot.kind, lot.remaining_nusd) for lot in shown.lots] == [("promo", 10**9), ("purchased", 2 * 10**9)]
    assert [key.label for key in shown.keys] == ["first"]
    assert shown.credits.granted_nusd == 3 * 10**9


async def test_state_and_credit_come_from_the_streams_while_the_read_models_lag() -> None:
    seam = Seam(reads=memory_reads([]))
    ada = await seam.sign_up("ada")
    await grant(seam, ada, "2")
    await seam.use_cases.change_account_state(
        ada, ChangeAccountState(state="suspended", reason=Sealed("looked into by us")), ADMIN
    )
    shown = await seam.use_cases.show_account(ada, ShowAccount(patience_s=0))
    assert (shown.username, shown.email, shown.opened_at, shown.keys) == (None, None, None, [])
    assert (shown.state, shown.available_nusd, shown.credits.granted_nusd) == ("suspended", 2 * 10**9, 0)


async def test_an_account_that_is_not_there_is_not_found() -> None:
    seam = Seam()
    for deed in (
        seam.use_cases.show_account("nobody", ShowAccount()),
        seam.use_cases.show_statement("nobody", ShowStatement()),
        seam.use_cases.find_account("nobody"),
    ):
        with pytest.raises(DomainError, match="account_not_found"):
            await deed


async def test_an_account_is_found_by_its_username_in_any_case_and_by_its_id() -> None:
    seam = Seam()
    ada = await seam.sign_up("ada")
    assert await seam.use_cases.find_account("ADA") == ada
    assert await seam.use_cases.find_account(ada) == ada


async def test_names_are_unique_in_any_case() -> None:
    seam = Seam()
    await seam.sign_up("ada")
    with pytest.raises(DomainError, match="claim_taken"):
        await seam.sign_up("Ada")


async def test_accounts_are_listed_by_page_oldest_first() -> None:
    seam = Seam()
    ids = [await seam.sign_up(name) for name in ("one", "two", "three")]
    page = await seam.use_cases.list_accounts("", 2)
    assert [(line.account_id, line.username) for line in page] == [(ids[0], "one"), (ids[1], "two")]
    assert [line.account_id for line in await seam.use_cases.list_accounts(ids[1], 2)] == [ids[2]]


async def test_a_state_that_is_there_already_is_written_once() -> None:
    seam = Seam()
    ada = await seam.sign_up("ada")
    wanted = ChangeAccountState(state="suspended", reason=Sealed("looked into by us"))
    first = await seam.use_cases.change_account_state(ada, wanted, ADMIN)
    assert first.position == len(seam.ledger.log)
    assert (await seam.use_cases.change_account_state(ada, wanted, ADMIN)).position == 0


async def test_a_statement_adds_up_and_its_reasons_are_readable() -> None:
    seam = Seam()
    ada = await seam.sign_up("ada")
    await grant(seam, ada, "2", "purchased")
    await grant(seam, ada, "0.000000001")
    statement = await seam.use_cases.show_statement(ada, ShowStatement())
    assert statement.username == "ada"
    assert [lot.reason for lot in statement.lots] == [REASON, REASON]
    for lot in statement.lots:
        assert lot.granted_nusd == lot.burnt_nusd + lot.expired_nusd + lot.held_nusd + lot.available_nusd
    assert statement.available_nusd == sum(lot.available_nusd for lot in statement.lots) == 2 * 10**9 + 1


@pytest.mark.parametrize("limit", [0, -1, MAX_REQUESTS + 1])
async def test_a_statement_of_no_or_too_many_requests_is_refused(limit: int) -> None:
    with pytest.raises(DomainError, match="invalid_request"):
        await Seam().use_cases.show_statement("a", ShowStatement(limit))
