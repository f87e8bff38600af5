"""P1, P3: kill -9 of PostgreSQL, one of its backends or all of it, at any instant under load."""

from tests.rigs.faults.campaign import campaign, run
from tests.rigs.faults.victims import SHUTDOWN_AT_ONCE

SEED = 10


def test_p1_what_clients_received_whole_is_settled_once_whatever_of_the_database_is_killed() -> None:
    with campaign(SEED) as running:
        run(running, ["backend", "postgres"])
        running.run_cycle(SHUTDOWN_AT_ONCE)
