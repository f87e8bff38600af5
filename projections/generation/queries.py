"""Queries about requests."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from domain.credit.events import Attempt
from domain.credit.lot import Part
from domain.pricing.rate import ChargeLine
from domain.pricing.usage import Unit
from projections.engine.reader import NamedRow, Reader, Row
from projections.engine.views import columns_of, views_of
from projections.generation.app_column import app_and_title

VIEWS = views_of(__package__)


class Json(NamedTuple):
    """A column of JSON as its reader gets it: renamed, decoded, and not null."""

    name: str
    decode: Callable[[str], object]
    empty: str = "[]"


_parts = msgspec.json.Decoder(tuple[Part, ...]).decode

JSON_COLUMNS = {
    "holds": Json("holds", _parts),
    "burnt": Json("burnt", _parts),
    "charge_lines": Json("lines", msgspec.json.Decoder(tuple[ChargeLine, ...]).decode),
    "usage": Json("usage", msgspec.json.Decoder(dict[Unit, int]).decode, "{}"),
}
"""By their name in the view."""

ATTEMPTS = """(
    SELECT json_agg(json_build_object('provider', a.provider, 'error_class', a.error_class, 'status', a.status,
                                      'duration_ms', a.duration_ms) ORDER BY a.position)
      FROM read.generation_attempt_{build} a
     WHERE a.reservation_id = g.reservation_id AND a.account_id = g.account_id)"""

PLAIN_NAMES = tuple(name for name in columns_of(VIEWS["generation"]) if name not in JSON_COLUMNS)
"""Columns that are read as they are; `app` holds two fields of a record."""

DECODED = (*JSON_COLUMNS.values(), Json("attempts", msgspec.json.Decoder(tuple[Attempt, ...]).decode))

SOURCES = (*(f"g.{name}" for name in JSON_COLUMNS), ATTEMPTS)

NAMES = (*PLAIN_NAMES, *(column.name for column in DECODED))

COLUMNS = (
    *(f"g.{name}" for name in PLAIN_NAMES),
    *(f"coalesce({source}::text, '{column.empty}')" for source, column in zip(SOURCES, DECODED, strict=True)),
)

SELECT = f"SELECT {', '.join(COLUMNS)} FROM ({VIEWS['generation']}) g WHERE g.account_id = $1"

# The customer may have the id of a reservation that a late settle replaced: the newest one is the answer.
GENERATION = f"""
{SELECT} AND (g.reservation_id = $2 OR (g.replaces <> '' AND g.replaces = $2))
 ORDER BY g.reserve_position DESC LIMIT 1
"""

LAST_GENERATIONS = f"{SELECT} ORDER BY g.reserve_position DESC LIMIT $2"


async def generation(reader: Reader, account_id: str, generation_id: str) -> NamedRow | None:
    """The request that customers know as `gen-<reservation>`, by NAMES and `title`."""
    rows = await reader.rows(GENERATION, [account_id, generation_id.removeprefix("gen-")])
    return _named(rows[0]) if rows else None


async def last_generations(reader: Reader, account_id: str, limit: int) -> Sequence[NamedRow]:
    """The newest `limit` requests, oldest first."""
    rows = await reader.rows(LAST_GENERATIONS, [account_id, limit])
    return [_named(row) for row in reversed(rows)]


def _named(row: Row) -> NamedRow:
    named = dict(zip(NAMES, row, strict=True))
    for column in DECODED:
        named[column.name] = column.decode(named[column.name])
    named["app"], named["title"] = app_and_title(named["app"])
    return named
