"""Versions of credit events that are no longer written. What the log has of them decodes to the current version."""

from typing import ClassVar

from domain.credit.events import ShortfallRecorded
from domain.event import Event


class ShortfallRecordedV1(Event, frozen=True, kw_only=True):
    """When it was written, a shortfall was owed by nobody; that stays so."""

    tag: ClassVar[str] = "credit.shortfall_recorded.v1"
    reservation_id: str
    key_id: str
    amount_nusd: int

    def upcast(self) -> ShortfallRecorded:
        return ShortfallRecorded(
            at=self.at,
            reservation_id=self.reservation_id,
            key_id=self.key_id,
            amount_nusd=self.amount_nusd,
            cause="absorbed",
            owed_nusd=0,
        )


RETIRED: tuple[type[Event], ...] = (ShortfallRecordedV1,)
