"""Whether this process still takes new generations, and how many are under way (SIGTERM drains)."""

from domain.errors import DomainError


class Drain:
    def __init__(self) -> None:
        self.has_begun = False
        self.under_way = 0

    def __enter__(self) -> None:
        """Begin one generation. Raises: DomainError shutting_down."""
        if self.has_begun:
            raise DomainError("shutting_down")
        self.under_way += 1

    def __exit__(self, *_: object) -> None:
        self.under_way -= 1
