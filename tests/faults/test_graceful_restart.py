"""P1, P9: an API process is told to stop under load, again and again: the other serves on, the port stays open."""

from tests.rigs.faults.graceful import restart_api_processes

SEED = 51
TIMES = 6


def test_p1_an_api_process_that_is_told_to_stop_under_load_fails_nobody() -> None:
    restart_api_processes(SEED, TIMES)
