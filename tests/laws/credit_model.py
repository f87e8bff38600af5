"""The credit rules of docs/reference/rules.md told a second time, as naively as possible, so that two tellings can be
compared.

Nothing is kept up to date here: there are lists of what happened, and every question is answered by going through them.
Imports nothing of the product. A command is a dict; what comes of it is a list of plain tuples, or a Refused.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any
from uuid import UUID

Told = list[tuple[Any, ...]]
"""What came of a command: ("settled", reservation, ((lot, nUSD), ...)) and the like."""

PRIORITIES = {"allowance": 10, "trial": 20, "promo": 30, "purchased": 40}
WINDOWS = ("daily", "weekly", "monthly", "total")
LARGEST = 2**62
FAR = datetime(9999, 1, 1, tzinfo=UTC)


class Refused(Exception):
    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


def window_of(window: str, moment: datetime) -> Any:
    """A name for the window that `moment` falls in."""
    names = {
        "daily": moment.date(),
        "weekly": moment.isocalendar()[:2],
        "monthly": (moment.year, moment.month),
        "total": "ever",
    }
    return names[window]


class CreditModel:
    def __init__(self) -> None:
        self.grants: list[dict[str, Any]] = []
        self.reservations: list[dict[str, Any]] = []
        self.burns: list[tuple[str, str, int]] = []  # reservation, lot, nUSD
        self.lapses: list[tuple[str, int]] = []  # lot, nUSD
        self.debts: list[int] = []  # what was served beyond all credit
        self.payments: list[int] = []  # of those debts
        self.unpaid: list[tuple[datetime, int]] = []  # work that nobody paid
        self.paid: list[tuple[datetime, int]] = []  # for answers
        self.clock = datetime(1970, 1, 1, tzinfo=UTC)

    # ---- questions about lots

    def remaining(self, lot: str) -> int:
        granted = sum(g["amount_nusd"] for g in self.grants if g["lot_id"] == lot)
        burnt = sum(amount for _, name, amount in self.burns if name == lot)
        lapsed = sum(amount for name, amount in self.lapses if name == lot)
        return int(granted - burnt - lapsed)

    def held(self, lot: str) -> int:
        return sum(amount for r in self.open() for name, amount in r["holds"] if name == lot)

    def live(self) -> list[dict[str, Any]]:
        """Lots with something left, in burn order."""
        left = [(n, g) for n, g in enumerate(self.grants) if self.remaining(g["lot_id"]) > 0]
        return [g for n, g in sorted(left, key=lambda x: (x[1]["priority"], x[1]["expires_at"] or FAR, x[0]))]

    def was_taken_back(self, lot: str) -> bool:
        return any(name == lot for name, _ in self.lapses)

    def free(self, grant: dict[str, Any], now: datetime) -> int:
        is_over = grant["expires_at"] is not None and grant["expires_at"] <= now
        if is_over or self.was_taken_back(grant["lot_id"]):
            return 0
        return self.remaining(grant["lot_id"]) - self.held(grant["lot_id"])

    def available(self, now: datetime, kinds: Any = None) -> int:
        return sum(self.free(g, now) for g in self.live() if kinds is None or g["kind"] in kinds)

    def posted(self) -> int:
        return sum(self.remaining(g["lot_id"]) for g in self.grants)

    def owed(self) -> int:
        return sum(self.debts) - sum(self.payments)

    def taken(self, amount: int, now: datetime, kinds: Any) -> list[tuple[str, int]]:
        """`amount` from free lots in burn order, as far as they go."""
        parts = []
        for grant in self.live():
            part = min(amount, self.free(grant, now)) if kinds is None or grant["kind"] in kinds else 0
            parts.append((grant["lot_id"], part))
            amount -= part
        return [part for part in parts if part[1]]

    # ---- questions about reservations and keys

    def open(self) -> list[dict[str, Any]]:
        return [r for r in self.reservations if r["ended"] is None]

    def the_open(self, name: str) -> dict[str, Any]:
        for r in self.open():
            if r["id"] == name:
                return r
        raise Refused("reservation_not_open")

    def cost(self, reservation: dict[str, Any]) -> int:
        """What it takes of its key's limit: what it holds while it is open, what it burnt afterwards."""
        if reservation["ended"] is None:
            return sum(amount for _, amount in reservation["holds"])
        return sum(amount for name, _, amount in self.burns if name == reservation["id"])

    def counted(self, key: str) -> list[dict[str, Any]]:
        """Reservations of a limited key, since it last was without a limit."""
        return [r for r in self.reservations if r["key"] == key and r["counts"]]

    def spent(self, key: str, window: str) -> tuple[Any, int]:
        """The window of the key's latest reserve, and what was spent in it; earlier windows are forgotten."""
        latest = window_of(window, self.counted(key)[-1]["at"])
        return latest, sum(self.cost(r) for r in self.counted(key) if window_of(window, r["at"]) == latest)

    def room(self, key: str, limit: Any, moment: datetime) -> int:
        if limit is None:
            return LARGEST
        used = 0
        if self.counted(key):
            latest, in_latest = self.spent(key, limit["window"])
            used = in_latest if latest == window_of(limit["window"], moment) else 0
        return max(0, int(limit["limit_nusd"]) - used)

    # ---- questions about work that nobody paid

    def within_30_days(self, amounts: list[tuple[datetime, int]], now: datetime) -> int:
        return sum(amount for at, amount in amounts if (now.date() - at.date()).days <= 30)

    def is_beyond(self, limit: Any, now: datetime) -> bool:
        if limit is None:
            return False
        share = Fraction(limit["share_ppm"], 10**6) * self.within_30_days(self.paid, now)
        return self.within_30_days(self.unpaid, now) > max(limit["least_nusd"], share)

    # ---- commands

    def ask(self, name: str, command: dict[str, Any]) -> Told:
        """What a command comes to; a refused one changes nothing."""
        now = max(self.clock, command["at"])
        told: Told = getattr(self, name)(command, now)
        if told:
            self.clock = now
        return told

    def Grant(self, c: dict[str, Any], now: datetime) -> Told:
        if any(g["lot_id"] == c["lot_id"] for g in self.live()):
            raise Refused("lot_exists")
        if c["amount_nusd"] <= 0 or self.posted() + c["amount_nusd"] > LARGEST:
            raise Refused("invalid_amount")
        if c["expires_at"] is not None and c["expires_at"] <= now:
            raise Refused("invalid_expiry")
        self.grants.append({**c, "priority": PRIORITIES[c["kind"]] if c["priority"] is None else c["priority"]})
        told: Told = [("granted", c["lot_id"], c["amount_nusd"])]
        if c["kind"] == "purchased" and self.owed() > 0:
            paid = min(self.owed(), c["amount_nusd"])
            self.burns.append(("a debt", c["lot_id"], paid))
            self.payments.append(paid)
            told.append(("shortfall_paid", ((c["lot_id"], paid),), self.owed()))
        return told

    def Reserve(self, c: dict[str, Any], now: datetime) -> Told:
        if any(r["id"] == c["reservation_id"] for r in self.open()):
            raise Refused("reservation_exists")
        if self.is_beyond(c["unpaid_limit"], now):
            raise Refused("unfinished_work_limit")
        tokens, amount = self.clamped(c, now)
        if c["key_limit"] is None:
            for r in self.reservations:
                r["counts"] = r["counts"] and r["key"] != c["key_id"]
        holds = self.taken(amount, now, c["burnable"])
        self.reservations.append(
            {
                "id": c["reservation_id"],
                "key": c["key_id"],
                "counts": c["key_limit"] is not None,
                "at": now,
                "due": c["expires_at"],
                "holds": holds,
                "kinds": c["burnable"],
                "ended": None,
            }
        )
        return [("reserved", c["reservation_id"], tokens, amount, tuple(holds))]

    def clamped(self, c: dict[str, Any], now: datetime) -> tuple[int, int]:
        """The most tokens that fit, tried one by one, and what they cost."""
        requested = c["quote"]["requested_tokens"]
        costs = [
            ceil(Fraction(c["quote"]["fixed_fusd"] + c["quote"]["per_token_fusd"] * n, 10**6))
            for n in range(requested + 1)
        ]
        available = self.available(now, c["burnable"])
        room = self.room(c["key_id"], c["key_limit"], now)
        tokens = max((n for n, cost in enumerate(costs) if cost <= min(available, room)), default=-1)
        if tokens >= min(16, requested):
            return tokens, costs[tokens]
        if costs[min(16, requested)] > room:
            raise Refused("key_limit_exceeded")
        affordable = max((n for n, cost in enumerate(costs) if cost <= available), default=0)
        told = {} if c["quote"]["per_token_fusd"] else {"needed_usd": usd(costs[requested])}
        raise Refused("insufficient_credits", requested_tokens=requested, affordable_tokens=affordable, **told)

    def RecordAttempt(self, c: dict[str, Any], now: datetime) -> Told:
        self.the_open(c["reservation_id"])
        return [("attempt_recorded", c["reservation_id"])]

    def ExtendReservation(self, c: dict[str, Any], now: datetime) -> Told:
        r = self.the_open(c["reservation_id"])
        added = c["amount_nusd"] - self.cost(r)
        if added <= 0:
            return []
        if added > self.room(r["key"], c["key_limit"], r["at"]) or added > self.available(now, c["burnable"]):
            raise Refused("extension_unaffordable")
        holds = self.taken(added, now, c["burnable"])
        r["holds"] = r["holds"] + holds
        return [("reservation_extended", r["id"], added, tuple(holds))]

    def Settle(self, c: dict[str, Any], now: datetime) -> Told:
        charge = c["charge"]["total_nusd"]
        if not 0 <= charge <= LARGEST:
            raise Refused("invalid_amount")
        if c["late"] is not None and self.is_lately_expired(c["reservation_id"], now):
            quote = {"fixed_fusd": charge * 10**6, "per_token_fusd": 0, "requested_tokens": 0}
            again = {"reservation_id": name_of_late(c["reservation_id"]), "quote": quote, "unpaid_limit": None}
            reserved = self.Reserve({**c["late"], **again, "expires_at": max(c["late"]["expires_at"], now)}, now)
            for r in self.reservations:
                r["replaced"] = r.get("replaced") or r["id"] == c["reservation_id"]
            return reserved + self.settled(self.reservations[-1], charge, now, None)
        return self.settled(self.the_open(c["reservation_id"]), charge, now, c["unpaid"])

    def is_lately_expired(self, name: str, now: datetime) -> bool:
        return any(
            r["id"] == name
            and r["ended"] == "expired"
            and not r.get("replaced")
            and now - r["end"] <= timedelta(days=1)
            for r in self.reservations
        )

    def settled(self, r: dict[str, Any], charge: int, now: datetime, unpaid: Any) -> Told:
        burnt, left, reserved = [], charge, self.cost(r)
        for grant in self.live():
            held = sum(amount for lot, amount in r["holds"] if lot == grant["lot_id"])
            burnt.append((grant["lot_id"], min(left, held)))
            left -= min(left, held)
        for lot, part in self.taken(left, now, r["kinds"]):
            burnt = [(name, amount + part if name == lot else amount) for name, amount in burnt]
            left -= part
        paid = tuple(part for part in burnt if part[1])
        order = [grant["lot_id"] for grant in self.live()]
        self.burns += [(r["id"], lot, amount) for lot, amount in paid]
        self.paid.append((now, charge - left))
        told: Told = [("settled", r["id"], paid), *self.not_paid(r, reserved - (charge - left), unpaid, now)]
        if left:
            self.debts.append(left)
            told.append(("shortfall_recorded", r["id"], left, self.owed()))
        return [*told, *self.end(r, "settled", now, order)]

    def Release(self, c: dict[str, Any], now: datetime) -> Told:
        r = self.the_open(c["reservation_id"])
        order = [grant["lot_id"] for grant in self.live()]
        unpaid = self.not_paid(r, self.cost(r), c["unpaid"], now)
        return [("released", r["id"]), *unpaid, *self.end(r, "released", now, order)]

    def not_paid(self, r: dict[str, Any], left: int, unpaid: Any, now: datetime) -> Told:
        amount = 0 if unpaid is None else min(unpaid["presumed_nusd"], left)
        if amount <= 0:
            return []
        self.unpaid.append((now, amount))
        return [("work_unpaid", r["id"], amount, unpaid["cause"])]

    def ExpireReservation(self, c: dict[str, Any], now: datetime) -> Told:
        if not any(r["id"] == c["reservation_id"] for r in self.open()):
            return []
        r = self.the_open(c["reservation_id"])
        if now < r["due"]:
            raise Refused("reservation_not_due")
        order = [grant["lot_id"] for grant in self.live()]
        return [("reservation_expired", r["id"]), *self.end(r, "expired", now, order)]

    def end(self, r: dict[str, Any], how: str, now: datetime, order: list[str]) -> Told:
        """The reservation ends; what it frees on lots that were taken back goes the same way."""
        r["ended"], r["end"] = how, now
        told: Told = []
        for lot in order:
            freed = self.remaining(lot) - self.held(lot)
            if self.was_taken_back(lot) and freed:
                self.lapses.append((lot, freed))
                told.append(("lot_expired", lot, freed))
        return told

    def ExpireLot(self, c: dict[str, Any], now: datetime) -> Told:
        lot = c["lot_id"]
        found = [g for g in self.live() if g["lot_id"] == lot and not self.was_taken_back(lot)]
        if not found:
            return []
        if found[0]["expires_at"] is None or found[0]["expires_at"] > now:
            raise Refused("lot_not_due")
        amount = self.remaining(lot) - self.held(lot)
        self.lapses.append((lot, amount))
        return [("lot_expired", lot, amount)]


def usd(nusd: int) -> str:
    whole, rest = divmod(nusd, 10**9)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


def name_of_late(reservation_id: str) -> str:
    """Of its two words, each behind its length in four bytes, the BLAKE2b of 16 bytes, written as a UUID."""
    words = b"".join(len(word).to_bytes(4, "big") + word for word in (b"late", reservation_id.encode()))
    return str(UUID(bytes=hashlib.blake2b(words, digest_size=16).digest()))
