"""Wakes followers of the log: the channel that appends notify, and how to wait for a notification."""

import select
import socket
from contextlib import closing, suppress

import psycopg

WAKE_UP_CHANNEL = "stored_events"
"""The eventsourcing library's subscriptions listen on it."""

LISTEN = f"LISTEN {WAKE_UP_CHANNEL}"
NOTIFY = f"SELECT pg_notify('{WAKE_UP_CHANNEL}', '')"

PROOF_WITHIN_S = 1.0


class WakeUps:
    """Waits for appends on a synchronous connection; another thread may end the wait.

    arrive: whether notifications reach this connection. Behind a pooler that shares sessions they do not: then a
            follower has to poll.
    """

    def __init__(self, info: str) -> None:
        self._info = info
        self._woken, self._waking = socket.socketpair()
        for end in (self._woken, self._waking):
            end.setblocking(False)
        self.arrive = False

    def listen(self, connection: psycopg.Connection) -> None:
        """Listen, and find out whether that works: a notification of another session must come."""
        connection.execute(LISTEN.encode())
        with psycopg.connect(self._info, autocommit=True) as other:
            other.execute(NOTIFY.encode())
        self.arrive = self.wait(connection, PROOF_WITHIN_S)

    def wait(self, connection: psycopg.Connection, seconds: float) -> bool:
        """Wait for a notification, for `wake` or for the time to pass; whether a notification came."""
        if self._received(connection):
            return True
        woken = self._woken.fileno()
        readable, _, _ = select.select([connection.fileno(), woken], [], [], seconds)
        if woken in readable:
            self._woken.recv(4096)
        return self._received(connection)

    def close(self) -> None:
        self._woken.close()
        self._waking.close()

    def wake(self) -> None:
        """End the wait that is under way, or the next one. From any thread."""
        with suppress(OSError):  # closed, or full: then enough is waiting to be read
            self._waking.send(b"x")

    @staticmethod
    def _received(connection: psycopg.Connection) -> bool:
        return bool(list(connection.notifies(timeout=0)))


def notifications_arrive(info: str) -> bool:
    """Whether they do on a connection of this login, such as behind no pooler. Raises: psycopg.Error."""
    with psycopg.connect(info, autocommit=True) as connection, closing(WakeUps(info)) as wake_ups:
        wake_ups.listen(connection)
        return wake_ups.arrive
