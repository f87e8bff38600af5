"""The money promises, checked against the log: credit is a hard cap (P2), every reservation ends once (P3).

Independent of decide and evolve: it only adds up the amounts in the events.
"""

from collections.abc import Callable, Iterable

from domain.credit import events as e
from domain.credit.lot import Part
from domain.event import Event
from domain.proof.finding import Finding
from domain.rules import NoRule, Rules


class MoneyWalk:
    """Checks the credit events of all accounts in order of position; keeps lots and open reservations, no history.

    A stream is checked up to its first fault; the other streams go on.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._given_up: set[str] = set()

    def walk(self, position: int, stream: str, event: Event) -> Finding | None:
        if stream in self._given_up:
            return None
        try:
            rule = RULES[type(event)]
        except NoRule as error:
            self.skip(stream)
            return Finding("money", str(error), position, stream)
        if rule is None:
            return None
        account = self._accounts.get(stream)
        if account is None:
            account = self._accounts[stream] = _Account()
        account.just_ended, account.ended = account.ended, None
        try:
            fault = rule(account, event)
        except KeyError as error:
            fault = f"lot {error} does not exist"
        if fault is None and account.available_nusd < 0:
            fault = f"available is {account.available_nusd} nUSD"
        if fault is None:
            return None
        self.skip(stream)
        return Finding("money", fault, position, stream)

    def skip(self, stream: str) -> None:
        """Leave `stream` out from here on: its sums are unknown."""
        self._given_up.add(stream)
        self._accounts.pop(stream, None)


class _Account:
    """lots: lot id -> [remaining, held]; open: reservation id -> (amount, holds).

    ended: id of the reservation that this event settles or releases, and what is left of it unpaid; just_ended: the
           same for the event before.
    """

    __slots__ = ("available_nusd", "ended", "just_ended", "lots", "open", "owed_nusd", "purchased")

    def __init__(self) -> None:
        self.available_nusd = 0
        self.owed_nusd = 0
        self.ended: tuple[str, int] | None = None
        self.just_ended: tuple[str, int] | None = None
        self.purchased: set[str] = set()
        self.lots: dict[str, list[int]] = {}
        self.open: dict[str, tuple[int, tuple[Part, ...]]] = {}

    def granted(self, event: e.Granted) -> str | None:
        if event.lot_id in self.lots:
            return f"lot {event.lot_id} was granted before"
        self.lots[event.lot_id] = [event.amount_nusd, 0]
        if event.kind == "purchased":
            self.purchased.add(event.lot_id)
        self.available_nusd += event.amount_nusd
        return None

    def reserved(self, event: e.Reserved) -> str | None:
        if event.reservation_id in self.open:
            return f"reservation {event.reservation_id} is open already"
        self.open[event.reservation_id] = event.amount_nusd, event.holds
        return self._hold(event.reservation_id, event.amount_nusd, event.holds)

    def extended(self, event: e.ReservationExtended) -> str | None:
        if event.reservation_id not in self.open:
            return _not_open(event.reservation_id)
        amount, holds = self.open[event.reservation_id]
        self.open[event.reservation_id] = amount + event.added_nusd, holds + event.holds
        return self._hold(event.reservation_id, event.added_nusd, event.holds)

    def settled(self, event: e.Settled) -> str | None:
        fault = self._free(event.reservation_id, event.reserved_nusd)
        if fault is not None:
            return fault
        before = self.available_nusd
        fault = self._take(event.burnt)
        burnt_nusd = before - self.available_nusd
        if fault is None and burnt_nusd > event.charge.total_nusd:
            return f"settle of {event.reservation_id}: more was burnt than the charge of {event.charge.total_nusd} nUSD"
        self.ended = event.reservation_id, event.reserved_nusd - burnt_nusd
        return fault

    def released(self, event: e.Released) -> str | None:
        self.ended = event.reservation_id, event.reserved_nusd
        return self._free(event.reservation_id, event.reserved_nusd)

    def reservation_expired(self, event: e.ReservationExpired) -> str | None:
        return self._free(event.reservation_id, event.reserved_nusd)

    def work_unpaid(self, event: e.WorkUnpaid) -> str | None:
        if self.just_ended is None or self.just_ended[0] != event.reservation_id:
            return f"work of {event.reservation_id} was unpaid, but the event before did not settle or release it"
        if not 0 < event.presumed_nusd <= self.just_ended[1]:
            return f"{event.presumed_nusd} nUSD of work were unpaid, of {self.just_ended[1]} that could be"
        return None

    def shortfall_recorded(self, event: e.ShortfallRecorded) -> str | None:
        if not event.is_owed:
            return None
        self.owed_nusd += event.amount_nusd
        return self._owes(event.owed_nusd)

    def shortfall_paid(self, event: e.ShortfallPaid) -> str | None:
        self.owed_nusd -= event.amount_nusd
        for part in event.burnt:
            if part.lot_id not in self.purchased:
                return f"lot {part.lot_id} was not bought and paid {part.amount_nusd} nUSD of a shortfall"
        if self.owed_nusd < 0:
            return f"{event.amount_nusd} nUSD of shortfalls were paid, {-self.owed_nusd} more than was owed"
        return self._take(event.burnt) or self._owes(event.owed_nusd)

    def _owes(self, said_nusd: int) -> str | None:
        return None if said_nusd == self.owed_nusd else f"{self.owed_nusd} nUSD are owed, not {said_nusd}"

    def lot_expired(self, event: e.LotExpired) -> str | None:
        return self._take((Part(event.lot_id, event.amount_nusd),))

    def _hold(self, reservation_id: str, amount_nusd: int, holds: Iterable[Part]) -> str | None:
        total = 0
        for part in holds:
            lot, part_nusd = self.lots.get(part.lot_id), part.amount_nusd
            if lot is None:
                return f"lot {part.lot_id} does not exist"
            lot[1] += part_nusd
            total += part_nusd
            if lot[1] > lot[0] or part_nusd < 0:
                return f"lot {part.lot_id} holds {lot[1]} of {lot[0]} nUSD"
        self.available_nusd -= amount_nusd
        return None if total == amount_nusd else f"reservation {reservation_id} holds {total}, not {amount_nusd} nUSD"

    def _free(self, reservation_id: str, reserved_nusd: int) -> str | None:
        held = self.open.pop(reservation_id, None)
        if held is None:
            return _not_open(reservation_id)
        amount, holds = held
        for part in holds:
            self.lots[part.lot_id][1] -= part.amount_nusd
        self.available_nusd += amount
        return None if amount == reserved_nusd else f"{reservation_id} held {amount}, not {reserved_nusd} nUSD"

    def _take(self, parts: Iterable[Part]) -> str | None:
        for part in parts:
            lot = self.lots.get(part.lot_id)
            if lot is None:
                return f"lot {part.lot_id} does not exist"
            lot[0] -= part.amount_nusd
            self.available_nusd -= part.amount_nusd
            if lot[0] < lot[1] or part.amount_nusd < 0:
                return f"lot {part.lot_id} has {lot[0]} nUSD left, of which {lot[1]} are held"
        return None


def _not_open(reservation_id: str) -> str:
    return f"reservation {reservation_id} is not open: it ended before or never began"


RULES: Rules[Callable[..., str | None]] = Rules(
    ["credit"],
    handles={
        e.Granted: _Account.granted,
        e.Reserved: _Account.reserved,
        e.ReservationExtended: _Account.extended,
        e.Settled: _Account.settled,
        e.ShortfallRecorded: _Account.shortfall_recorded,
        e.ShortfallPaid: _Account.shortfall_paid,
        e.Released: _Account.released,
        e.WorkUnpaid: _Account.work_unpaid,
        e.ReservationExpired: _Account.reservation_expired,
        e.LotExpired: _Account.lot_expired,
    },
    ignores=[e.AttemptRecorded],
)
"""A rule applies an event to its account's sums. Returns: what is wrong with the event, or None."""
