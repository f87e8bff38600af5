"""P1, P9: the gateway is stopped and started under load, again and again: clean 503s, or a port that is closed."""

from tests.rigs.faults.graceful import stop_gateway, stop_with_a_hung_process

SEED = 52
TIMES = 8


def test_p1_a_gateway_that_is_stopped_and_started_under_load_answers_503_or_is_not_there() -> None:
    stop_gateway(SEED, TIMES)


def test_p1_who_waited_for_a_process_that_hung_gets_a_503_from_the_supervisor() -> None:
    stop_with_a_hung_process(SEED)
