"""P1, P3: kill -9 of any process at any instant: one seeded cycle per kind; `make torture` for more."""

from tests.faults.campaign import KILLS, campaign

SEED = 9


def test_p1_what_clients_received_whole_is_settled_once_whatever_is_killed() -> None:
    with campaign(SEED) as running:
        for kind in KILLS:
            whole = running.run_cycle(kind)
            print(f"cycle {running.cycle}: killed {kind}, {whole} answered whole")
            assert whole >= 50, f"only {whole} whole answers while {kind} was killed: too few to prove anything"
        running.check()
