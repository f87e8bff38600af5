"""P3: of several projector processes one expires; another takes over when that one is gone."""

import psycopg

from adapters.outbound.postgres.project.lead_expiry import ExpiryLead
from tests.rigs.databases import Database


async def test_p3_one_leads_and_another_takes_over_when_it_is_gone(database: Database) -> None:
    first, second = ExpiryLead(database.writer), ExpiryLead(database.writer)
    assert await first.is_ours()
    assert not await second.is_ours()
    assert await first.is_ours(), "asking again neither loses it nor takes it twice"
    first.close()
    assert await taken_over(second)
    second.close()


async def taken_over(lead: ExpiryLead) -> bool:
    """The server notices a closed connection in its own time."""
    return any([await lead.is_ours() for _ in range(100)])


async def test_p3_a_session_that_was_ended_is_opened_anew(database: Database) -> None:
    lead = ExpiryLead(database.writer)
    assert await lead.is_ours()
    database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    assert await is_ours_again(lead)
    lead.close()


async def is_ours_again(lead: ExpiryLead) -> bool:
    try:
        return await lead.is_ours()
    except psycopg.OperationalError:
        return await lead.is_ours()
