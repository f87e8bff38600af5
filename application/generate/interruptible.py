"""Interrupt one wait of a task, as a timer does, without ending the task."""

import asyncio


class Interruptible:
    """The waits of the task that creates it, one at a time. A wait sets two attributes: it needs no timer, no frame.

    wait.is_under_way = True
    try:
        await something
    except asyncio.CancelledError:
        if not wait.was_interrupted():
            raise
    finally:
        wait.is_under_way = False
    """

    __slots__ = ("_cancels", "_has_cancelled", "_task", "is_under_way")

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancels = task.cancelling()
        self._has_cancelled = False
        self.is_under_way = False

    def interrupt(self) -> None:
        """End the wait under way with CancelledError; between two waits, do nothing."""
        if self.is_under_way and not self._has_cancelled:
            self._has_cancelled = self._task.cancel()

    def was_interrupted(self) -> bool:
        """Call once per CancelledError of a wait: whether `interrupt` alone caused it; if so, it is undone.

        If other code cancelled the task too, that cancellation counts, as with asyncio.timeout.
        """
        if not self._has_cancelled:
            return False
        self._has_cancelled = False
        return self._task.uncancel() <= self._cancels
