"""Does work on one pinned snapshot, here or in child processes that never outlive this one."""

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, NamedTuple

import psycopg

from adapters.outbound.postgres.verify.pin_snapshot import pinned

STOPS_WITHIN_S = 5.0
"""A killed process ends at once unless the machine is in trouble; then the kernel is left to end it."""


class Task(NamedTuple):
    """`do` is called with a pinned connection and `arguments`. `do`, `arguments` and the result must be picklable."""

    do: Callable[..., Any]
    arguments: tuple[object, ...] = ()


class WorkFailed(Exception):
    """A process failed in its task, or ended. Then there is no verdict, least of all a good one."""


def work_here(connection: psycopg.Connection, tasks: Sequence[Task]) -> list[Any]:
    """The results of `tasks`, in order, one after the other on this process's connection."""
    return [task.do(connection, *task.arguments) for task in tasks]


def work_apart(info: str, snapshot: str, tasks: Sequence[Task], processes: int) -> list[Any]:
    """The same in `processes` child processes, each on its own connection to an exported snapshot, tasks in order.

    Raises: WorkFailed.
    """
    results: dict[int, Any] = {}
    waiting = iter(enumerate(tasks))
    busy: dict[Connection, int] = {}
    with _workers(info, snapshot, min(processes, len(tasks))) as lines:
        for line in lines:
            _give_next(line, waiting, busy)
        while busy:
            for line in [line for line in wait(list(busy)) if isinstance(line, Connection)]:
                results[busy.pop(line)] = _result_on(line)
                _give_next(line, waiting, busy)
    return [results[number] for number in range(len(tasks))]


def _give_next(line: Connection, waiting: Iterator[tuple[int, Task]], busy: dict[Connection, int]) -> None:
    number, task = next(waiting, (0, None))
    if task is None:
        return
    try:
        line.send(task)
    except OSError as error:
        raise WorkFailed("a process of the examination died") from error
    busy[line] = number


def _result_on(line: Connection) -> Any:
    try:
        is_done, result = line.recv()
    except (EOFError, OSError) as error:
        raise WorkFailed("a process of the examination died") from error
    if not is_done:
        raise WorkFailed(result)
    return result


@contextmanager
def _workers(info: str, snapshot: str, number: int) -> Iterator[list[Connection]]:
    spawning = multiprocessing.get_context("spawn")  # a fork would share open connections
    lines: list[Connection] = []
    started: list[SpawnProcess] = []
    try:
        for _ in range(number):
            ours, theirs = spawning.Pipe()
            process = spawning.Process(target=_serve, args=(info, snapshot, theirs), daemon=True)
            process.start()
            theirs.close()  # else its end would stay open when it dies, and its death would not be noticed
            lines.append(ours)
            started.append(process)
        yield lines
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.join(STOPS_WITHIN_S)
        for line in lines:
            line.close()


def _serve(info: str, snapshot: str, line: Connection) -> None:
    """Body of a child process: does tasks until it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    gc.disable()  # no cycles are made here, and the search for them costs a tenth of the time
    try:
        with pinned(info, snapshot) as connection:
            while True:
                task = line.recv()
                line.send((True, task.do(connection, *task.arguments)))
    except EOFError:
        pass
    except Exception as error:  # noqa: BLE001 - the parent process reports it in one line
        line.send((False, " ".join(f"{type(error).__name__}: {error}".split())))


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
