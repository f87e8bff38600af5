"""P1, P3: kill -9 of our own processes at any instant; test_kill_database.py kills the others, `make torture` more."""

from tests.rigs.faults.campaign import campaign, run

SEED = 9


def test_p1_what_clients_received_whole_is_settled_once_whichever_process_of_ours_is_killed() -> None:
    with campaign(SEED) as running:
        run(running, ["api", "projector", "supervisor"])
