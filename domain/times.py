"""Times from outside: kept in UTC, and within a range that every reader of the log can hold."""

from datetime import UTC, datetime, timedelta

from domain.errors import DomainError

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
END = datetime(2200, 1, 1, tzinfo=UTC)
"""Generous on both sides of any date that credit or a key can have, and far from where calendars end: in some time zone
the year 9999 is the year 10000, which neither Python nor drivers can hold."""

LATEST = END - timedelta(microseconds=1)

ENDS = (EARLIEST, LATEST)
"""What times outside the range are read as."""

RANGE = "a time from 2020 to 2199, with its offset from UTC"


def checked(moment: datetime, param: str) -> datetime:
    """`moment` in UTC.

    Raises: DomainError invalid_expiry (`param`) if it has no time zone or is outside [EARLIEST, END).
    """
    if moment.tzinfo is None or not EARLIEST <= moment < END:
        raise DomainError("invalid_expiry", param=param, expected=RANGE)
    return moment.astimezone(UTC)


def clamped(moment: datetime) -> datetime:
    """`moment` in UTC, moved to the nearer end of the range if it is outside. For what logs hold already."""
    return moment.astimezone(UTC) if EARLIEST <= moment < END else LATEST if moment >= END else EARLIEST
