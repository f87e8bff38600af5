"""Times from callers: stored in UTC, within a range that every reader of the log supports."""

from datetime import UTC, datetime, timedelta

from domain.errors import DomainError

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
END = datetime(2200, 1, 1, tzinfo=UTC)
"""Wider than any date of credit or a key needs, and far from the end of calendars: in some time zones the last hours of
9999 are in the year 10000, which neither Python nor drivers support."""

LATEST = END - timedelta(microseconds=1)

ENDS = (EARLIEST, LATEST)
"""Times outside the range are read as one of these."""

RANGE = "a time from 2020 to 2199, with its offset from UTC"


def checked(moment: datetime, param: str) -> datetime:
    """`moment` in UTC.

    Raises: DomainError invalid_expiry (`param`) if it has no time zone or is outside [EARLIEST, END).
    """
    if moment.tzinfo is None or not EARLIEST <= moment < END:
        raise DomainError("invalid_expiry", param=param, expected=RANGE)
    return moment.astimezone(UTC)


def clamped(moment: datetime) -> datetime:
    """`moment` in UTC, moved to the nearer end of the range if it is outside. For recorded events."""
    return moment.astimezone(UTC) if EARLIEST <= moment < END else LATEST if moment >= END else EARLIEST
