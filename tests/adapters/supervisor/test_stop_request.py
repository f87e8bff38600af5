"""Being told to stop: once, twice at once, and again."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from adapters.supervisor.stop_request import SAME_REQUEST_S, SIGNALS, StopRequest


@pytest.fixture
def stop_request() -> Iterator[StopRequest]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    made = StopRequest()
    made.listen()
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks(stop_request: StopRequest, number: signal.Signals) -> None:
    assert not stop_request.is_made
    os.kill(os.getpid(), number)
    assert stop_request.is_made
    assert not stop_request.is_urgent


def test_signals_close_together_are_one_request(stop_request: StopRequest) -> None:
    for number in SIGNALS:
        os.kill(os.getpid(), number)
    assert not stop_request.is_urgent


def test_a_later_signal_hurries(stop_request: StopRequest) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(SAME_REQUEST_S + 0.05)
    os.kill(os.getpid(), signal.SIGINT)
    assert stop_request.is_urgent


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        StopRequest().listen()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
