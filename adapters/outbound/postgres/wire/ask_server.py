"""A connection that runs one prepared statement at a time, with binary parameters and a bounded wait.

psycopg's own cursors adapt every parameter and result, register with the event loop for every wait, and on a timeout
ask the server to cancel and wait again, which takes long on a dead network. An append is our hottest path and must
end within its timeout, so this speaks libpq (https://www.postgresql.org/docs/18/libpq-async.html) through psycopg's
binding.
"""

import asyncio
from collections.abc import Iterator, Sequence

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from adapters.outbound.postgres.wire.connection import CONNECT_TIMEOUT_S, connect

BINARY = 1
MAX_PARAMETERS = 32
_ALL_BINARY = [BINARY] * MAX_PARAMETERS
SEVERITY = DiagnosticField.SEVERITY_NONLOCALIZED
_FINE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)

Parameters = Sequence[bytes | None]

LOST = (psycopg.OperationalError, TimeoutError, OSError)
"""Raised by `ask` when the connection is gone and the result unknown; psycopg.OperationalError may also be a
refusal."""

PASSING = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""Classes of SQL states that concern the server, not the statement: connection, read-only (a standby), conflict, out of
resources (disk full), lock not available, shutdown, system error. Trying again later may help."""


class WireConnection:
    """One connection, one statement at a time; belongs to the event loop it was opened on.

    It watches its socket while idle too, so that a lost server is noticed before the next statement.
    """

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection  # owns the PGconn
        self._pgconn = connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._socket = self._pgconn.socket
        self._prepared: dict[str, bytes] = {}
        self._answer: asyncio.Future[PGresult] | None = None
        self._results: list[PGresult] = []
        self._timer: asyncio.TimerHandle | None = None
        self._deadline_s = 0.0
        self.is_closed = False
        self._loop.add_reader(self._socket, self._on_readable)

    @classmethod
    async def open(cls, info: str, timeout_s: float = CONNECT_TIMEOUT_S) -> "WireConnection":
        """Raises: TimeoutError, psycopg.OperationalError when the server is out of reach."""
        async with asyncio.timeout(timeout_s):
            return cls(await connect(info))

    async def ask(self, question: str, parameters: Parameters, timeout_s: float) -> PGresult:
        """Run `question` ($1, $2 ...) and return its last result, with binary values (`rows` reads them).

        Raises: TimeoutError after `timeout_s`, psycopg.OperationalError if the server went away: the connection is
                closed then and the outcome unknown. Any other psycopg.Error is the server's refusal; the connection
                goes on.
        """
        name = self._prepared.get(question)
        if name is None:
            name = f"q{len(self._prepared)}".encode()
            self._check_open()
            self._pgconn.send_prepare(name, question.encode())
            await self._receive(timeout_s)
            self._prepared[question] = name
        self._check_open()
        self._pgconn.send_query_prepared(name, parameters, _ALL_BINARY[: len(parameters)], BINARY)
        return await self._receive(timeout_s)

    def close(self) -> None:
        self._break(psycopg.OperationalError("the connection was closed"))

    def _check_open(self) -> None:
        if self.is_closed:
            raise psycopg.OperationalError("the connection is closed")

    async def _receive(self, timeout_s: float) -> PGresult:
        answer = self._answer = self._loop.create_future()
        self._set_timer(timeout_s)
        try:
            if self._pgconn.flush():
                self._loop.add_writer(self._socket, self._on_writable)
            result: PGresult = await answer
            return result
        except asyncio.CancelledError:
            self.close()  # its result would be taken for that of the next statement
            raise
        finally:
            self._answer = None

    def _set_timer(self, timeout_s: float) -> None:
        """One timer serves many statements: a timer for each would cost a tenth of the whole call."""
        self._deadline_s = self._loop.time() + timeout_s
        if self._timer is not None and self._timer.when() > self._deadline_s:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._answer is None:
            return
        if self._loop.time() < self._deadline_s:
            self._timer = self._loop.call_at(self._deadline_s, self._on_timer)
        else:
            self._break(TimeoutError("no answer in time"))

    def _on_writable(self) -> None:
        try:
            if not self._pgconn.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error as error:
            self._break(error)

    def _on_readable(self) -> None:
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:
                    break
                self._results.append(result)
                if _is_goodbye(result):
                    self._break(error_from_result(result))
                    return
            else:
                return
        except psycopg.Error as error:
            self._break(error)
            return
        if self._results:
            self._conclude()

    def _conclude(self) -> None:
        results, self._results = self._results, []
        if self._answer is None or self._answer.done():
            return
        failed = next((result for result in results if result.status not in _FINE), None)
        if failed is None:
            self._answer.set_result(results[-1])
        else:
            self._answer.set_exception(error_from_result(failed))

    def _break(self, error: Exception) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._pgconn.finish()
        if self._answer is not None and not self._answer.done():
            said = next((result for result in self._results if result.status not in _FINE), None)
            self._answer.set_exception(error if said is None else error_from_result(said))


def _is_goodbye(result: PGresult) -> bool:
    """After an error that ends the session only the connection's end follows, possibly much later."""
    return result.status == ExecStatus.FATAL_ERROR and result.error_field(SEVERITY) in (b"FATAL", b"PANIC")


def is_passing(error: Exception) -> bool:
    """Whether the server, not the statement, is at fault; a lost connection has no SQL state."""
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        return state[:2] in PASSING if state else isinstance(error, psycopg.OperationalError)
    return isinstance(error, LOST)


def is_out_of_reach(error: Exception) -> bool:
    """The same for errors of psycopg or its pool only: other timeouts and OSErrors may have other causes."""
    return isinstance(error, psycopg.Error) and is_passing(error)


def rows(result: PGresult) -> Iterator[list[bytes | None]]:
    """The rows of a result, as the server sent them."""
    columns = range(result.nfields)
    for row in range(result.ntuples):
        yield [result.get_value(row, column) for column in columns]


def integer(value: bytes | None) -> int | None:
    """Decode an int2, int4 or int8."""
    return None if value is None else int.from_bytes(value, "big", signed=True)
