"""Spending windows of a key: daily, weekly, monthly (UTC) and total. A charge belongs to the window of its reserve."""

from datetime import date, datetime, time, timedelta
from typing import Literal

import msgspec

from domain.event import GENESIS

Window = Literal["daily", "weekly", "monthly", "total"]
FOREVER = GENESIS.date()


class KeyLimit(msgspec.Struct, frozen=True):
    """At most `limit_nusd` per `window`. Each reserve carries it, so that changing it needs no credit event."""

    limit_nusd: int
    window: Window = "total"


class Spend(msgspec.Struct, frozen=True):
    """Settled plus reserved nUSD of one key since `start` (UTC date)."""

    start: date
    amount_nusd: int


KeySpend = dict[Window, Spend]
"""All windows of a limited key, so that earlier spending still counts when the limit gets another window."""

WINDOWS: tuple[Window, ...] = ("daily", "weekly", "monthly", "total")


def window_start(window: Window, now: datetime) -> date:
    """First UTC day of the window that `now` falls in; weeks begin on Monday."""
    day = now.date()
    if window == "daily":
        return day
    if window == "weekly":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if window == "monthly" else FOREVER


def window_end(window: Window, now: datetime) -> datetime | None:
    """When the window resets; None for "total"."""
    start = window_start(window, now)
    if window == "total":
        return None
    if window == "monthly":
        following = (start + timedelta(days=31)).replace(day=1)
    else:
        following = start + timedelta(days=1 if window == "daily" else 7)
    return datetime.combine(following, time(), now.tzinfo)


def spent(spend: KeySpend, window: Window, now: datetime) -> int:
    """nUSD of the window that `now` falls in; an elapsed window counts as zero."""
    found = spend.get(window)
    return found.amount_nusd if found and found.start == window_start(window, now) else 0


def add_reserved(spend: KeySpend, amount_nusd: int, now: datetime) -> KeySpend:
    """Count a new reservation in every current window; elapsed windows start again."""
    return {w: Spend(window_start(w, now), spent(spend, w, now) + amount_nusd) for w in WINDOWS}


def adjust_reserved(spend: KeySpend, delta_nusd: int, reserved_at: datetime) -> KeySpend:
    """Correct the amount of a reservation made at `reserved_at`, in the windows that have not elapsed since."""
    return {
        w: Spend(s.start, s.amount_nusd + delta_nusd) if s.start == window_start(w, reserved_at) else s
        for w, s in spend.items()
    }
