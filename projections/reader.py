"""How queries reach a database: SQL and parameters in, rows out."""

from collections.abc import Sequence
from typing import Any, Protocol


class Reader(Protocol):
    """One statement, one snapshot. Parameters are numbered $1, $2 ... in the text; `json` columns arrive as text."""

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]: ...
