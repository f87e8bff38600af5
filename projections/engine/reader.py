"""How queries reach a database: SQL and parameters in, rows out."""

from collections.abc import Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]
"""A row from PostgreSQL; each value has the type of its column."""

NamedRow = dict[str, Any]
"""The values of a row by the names of their columns."""


class Reader(Protocol):
    """Queries one build of a read model. One statement, one snapshot.

    Parameters are numbered $1, $2 ... in the text; `json` columns arrive as text. The text names the build's tables as
    read.<table>_{build}, and its number as {version} (projections.engine.registry.for_build).
    """

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[Row]: ...
