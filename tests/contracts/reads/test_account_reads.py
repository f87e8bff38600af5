"""What application.reads.accounts promises."""

from adapters.outbound.postgres.read.accounts import PostgresAccountReads
from application.reads.accounts import AccountReads
from domain.account.account import ACCOUNT, ChangeState
from tests.contracts.reads.logs import Told
from tests.fakes.reads.accounts import MemoryAccountReads
from tests.projections.story import Log, open_account

SUBJECTS = {"memory": MemoryAccountReads, "postgres": PostgresAccountReads}
PORT = AccountReads


async def test_an_account_is_read(told: Told, log: Log) -> None:
    accounts = (await told(log.events)).accounts
    found = await accounts.find("acct")
    assert found is not None
    assert (found.state, found.username, found.email, found.position) == ("active", b"sealed", b"sealed@", 1)
    assert await accounts.find("nobody") is None


async def test_a_change_of_state_shows(told: Told, log: Log) -> None:
    log.command(ACCOUNT, "acct", ChangeState(at=log.at, state="suspended"))
    found = await (await told(log.events)).accounts.find("acct")
    assert found is not None
    assert (found.state, found.opened_at, found.position) == ("suspended", log.at, len(log.events))


async def test_pages_go_on_behind_the_last_account_of_the_page_before(told: Told, log: Log) -> None:
    for account_id in ("b", "c", "d"):
        open_account(log, account_id)
    accounts = (await told(log.events)).accounts
    assert [one.account_id for one in await accounts.page("", 3)] == ["acct", "b", "c"]
    assert [one.account_id for one in await accounts.page("c", 3)] == ["d"]
    assert await accounts.page("d", 3) == []
