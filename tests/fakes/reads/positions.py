from collections.abc import Sequence

from domain.log import RecordedEvent


class MemoryPositionReads:
    """Answers at once: what is in the log is in the read models, and what is not does not come while a caller waits."""

    def __init__(self, log: Sequence[RecordedEvent]) -> None:
        self._log = log
        self.waited_for: list[int] = []

    async def last_of(self, streams: Sequence[str]) -> int:
        return max((each.position for each in self._log if each.stream in streams), default=0)

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        self.waited_for.append(position)
        return position <= len(self._log)

    async def wait_for_account(self, account_id: str, timeout_s: float = 1.0) -> bool:
        return True
