"""Queries for accountants."""

from collections.abc import Sequence

from projections.engine.reader import Reader
from projections.engine.views import views_of

VIEWS = views_of(__package__)

TRIAL_BALANCE = f"SELECT book, balance_nusd::text, entries FROM ({VIEWS['trial_balance']}) t ORDER BY book"


async def trial_balance(reader: Reader) -> Sequence[tuple[str, int, int]]:
    """(book, nUSD, entries); the amounts sum to zero. Reads every entry: for audits, not for requests."""
    rows = await reader.rows(TRIAL_BALANCE)
    return [(book, int(balance), entries) for book, balance, entries in rows]
