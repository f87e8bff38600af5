"""Being told to stop: once, twice at once, and again.

A signal to the process may be taken by any of its threads, so the tests raise it in their own: it has been noted then
when the call returns.
"""

import signal
import time
from collections.abc import Iterator

import pytest

from adapters.supervisor.stop_request import SAME_REQUEST_S, SIGNALS, StopRequest


@pytest.fixture
def stop_request() -> Iterator[StopRequest]:
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}  # pytest itself may run under nohup
    made = StopRequest()
    made.listen()
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks(stop_request: StopRequest, number: signal.Signals) -> None:
    assert not stop_request.is_made
    signal.raise_signal(number)
    assert stop_request.is_made
    assert not stop_request.is_urgent


def test_signals_close_together_are_one_request(stop_request: StopRequest) -> None:
    for number in SIGNALS:
        signal.raise_signal(number)
    assert not stop_request.is_urgent


def test_a_later_signal_hurries(stop_request: StopRequest) -> None:
    signal.raise_signal(signal.SIGINT)
    time.sleep(SAME_REQUEST_S + 0.05)
    signal.raise_signal(signal.SIGINT)
    assert stop_request.is_urgent


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        StopRequest().listen()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
