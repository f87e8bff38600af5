"""Unpaid work of providers, and the limit on how much of it an account may leave in 30 days
(docs/reference/rules.md#unfinished-work)."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from domain.errors import DomainError
from domain.money import format_usd

WINDOW_DAYS = 30
"""Full UTC days before today. With today's that makes 31 daily sums, so that no amount counts for less than 30 days."""

PPM = 1_000_000


class DaySum(msgspec.Struct, frozen=True):
    """nUSD of one UTC day."""

    day: date
    amount_nusd: int


DailySums = tuple[DaySum, ...]
"""Only days with an amount, oldest first: at most WINDOW_DAYS + 1, however old the account is."""


def added(sums: DailySums, amount_nusd: int, at: datetime) -> DailySums:
    """Add `amount_nusd` to the day of `at`, never before the last; the first amount of a day drops old days."""
    if amount_nusd == 0:
        return sums
    day = at.date()
    if sums and sums[-1].day == day:
        return (*sums[:-1], DaySum(day, sums[-1].amount_nusd + amount_nusd))
    return (*_in_window(sums, day), DaySum(day, amount_nusd))


def sum_nusd(sums: DailySums, day: date) -> int:
    """Sum of `day` and the WINDOW_DAYS before it."""
    return sum(one.amount_nusd for one in _in_window(sums, day))


class UnpaidLimit(msgspec.Struct, frozen=True):
    """Unpaid work may reach the larger of `least_nusd` and `share_ppm` millionths of what was settled, both over the
    last 30 UTC days."""

    least_nusd: int
    share_ppm: int

    def check(self, unpaid: DailySums, settled: DailySums, now: datetime) -> None:
        """Raises: DomainError unfinished_work_limit, with the time when enough of the work no longer counts."""
        today = now.date()
        if not unpaid or not self.is_exceeded(unpaid, settled, today):
            return
        lifted_at = self.lifted_at(unpaid, settled, now)
        raise DomainError(
            "unfinished_work_limit",
            unpaid_usd=format_usd(sum_nusd(unpaid, today)),
            limit_usd=format_usd(self.allowed_nusd(settled, today)),
            resets_at=lifted_at.isoformat(),
            retry_after_s=-((now - lifted_at) // timedelta(seconds=1)),
        )

    def allowed_nusd(self, settled: DailySums, day: date) -> int:
        return max(self.least_nusd, sum_nusd(settled, day) * self.share_ppm // PPM)

    def is_exceeded(self, unpaid: DailySums, settled: DailySums, day: date) -> bool:
        return sum_nusd(unpaid, day) > self.allowed_nusd(settled, day)

    def lifted_at(self, unpaid: DailySums, settled: DailySums, now: datetime) -> datetime:
        """The midnight after which enough of the unpaid work is too old to count, if nothing is settled until then."""
        day = now.date() + timedelta(days=1)
        while self.is_exceeded(unpaid, settled, day):  # at most WINDOW_DAYS + 1 times: then nothing is left to count
            day += timedelta(days=1)
        return datetime.combine(day, time(), UTC)


def _in_window(sums: DailySums, day: date) -> DailySums:
    first = day - timedelta(days=WINDOW_DAYS)
    return tuple(one for one in sums if one.day >= first)
