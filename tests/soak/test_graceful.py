"""P1, P9: more stops and restarts under load than the suite has."""

from tests.rigs.faults.graceful import restart_api_processes, stop_gateway


def test_p1_forty_restarts_of_an_api_process_under_load_fail_nobody() -> None:
    restart_api_processes(seed=151, times=40)


def test_p1_twenty_stops_under_load_answer_503_or_close_the_port() -> None:
    stop_gateway(seed=152, times=20)
