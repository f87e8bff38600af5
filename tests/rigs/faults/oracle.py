"""What must hold after any fault: clients, the tests' own provider and the log remember the same requests (P1, P3)."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.rigs.installation.clients import Seen
from tests.rigs.installation.log_facts import Facts, read_facts
from tests.rigs.providers.provider_process import ProviderProcess
from tests.rigs.running import Gateway

INPUT_NUSD, OUTPUT_NUSD = 150, 600
"""Per token of test/tokens: tests/rigs/running.py sells it at 0.15 and 0.60 USD per million."""

ENDS_WITHIN_S = 60.0
"""Beyond a reservation's own time: for an expiry loop that shares the machine with other tests."""


class Tally(NamedTuple):
    whole: int
    settled: int
    served: int
    reserved: int
    expired: int
    late: int
    estimated: int

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in zip(self._fields, self, strict=True))


def settled_books(gateway: Gateway, dsn: str, provider: ProviderProcess, seen: Sequence[Seen]) -> Facts:
    """Everything that must hold once nobody asks any more; prints what was counted."""
    verified = gateway.command("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    facts = wait_for_ends(dsn)
    print(f"  {compare(facts, seen, provider.served())}", flush=True)
    return facts


def wait_for_ends(dsn: str) -> Facts:
    """P3: every reservation ends, be it by expiring."""
    deadline_s = time.monotonic() + ENDS_WITHIN_S
    while True:
        facts = read_facts(dsn)
        if facts.reserved == facts.ends.keys():
            return facts
        assert time.monotonic() < deadline_s, f"never ended: {sorted(facts.reserved - facts.ends.keys())[:5]}"
        time.sleep(0.2)


def compare(facts: Facts, seen: Sequence[Seen], served: Mapping[str, list[list[int]]]) -> Tally:
    """Received whole <= settled <= served, each once, at the cost that the client was told."""
    doubled = {reservation: ends for reservation, ends in facts.ends.items() if len(ends) != 1}
    assert not doubled, f"reservations that ended more than once: {doubled}"
    whole = [s for s in seen if s.whole]
    for s in whole:
        assert s.generation_id is not None
        assert facts.settled.get(s.generation_id.removeprefix("gen-")) == s.paid_nusd, f"{s} is not what was settled"
    assert len({s.generation_id for s in whole}) == len(whole), "two answers under one id"
    asked_twice = {marker: len(answers) for marker, answers in served.items() if len(answers) > 1}
    assert not asked_twice, f"one request, several calls of the provider: {asked_twice}"
    charged = Counter(cost for told, cost in facts.settled.items() if told not in facts.estimated)
    produced = Counter(cost_of(answer) for answers in served.values() for answer in answers)
    assert charged <= produced, f"charged for what nobody produced: {charged - produced}"
    below_zero = {stream: nusd for stream, nusd in facts.lowest_available.items() if nusd < 0}
    assert not below_zero, f"available was negative: {below_zero}"
    ends = Counter(end for (end,) in facts.ends.values())
    return Tally(
        whole=len(whole),
        settled=len(facts.settled),
        served=produced.total(),
        reserved=len(facts.reserved),
        expired=ends["credit.reservation_expired.v1"],
        late=len(facts.replaced),
        estimated=len(facts.estimated),
    )


def cost_of(answer: Sequence[int]) -> int:
    prompt, completion = answer
    return prompt * INPUT_NUSD + completion * OUTPUT_NUSD
