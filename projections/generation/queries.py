"""Questions about requests."""

from collections.abc import Sequence
from typing import Any

import msgspec

from domain.credit.events import Attempt
from domain.credit.lot import Part
from domain.pricing.rate import ChargeLine
from domain.pricing.usage import Unit
from projections.engine.reader import Reader
from projections.engine.views import views_of
from projections.generation.app_column import app_and_title

VIEWS = views_of(__package__)

_PARTS = msgspec.json.Decoder(tuple[Part, ...])

JSON_COLUMNS: dict[str, msgspec.json.Decoder[Any]] = {
    "holds": _PARTS,
    "burnt": _PARTS,
    "lines": msgspec.json.Decoder(tuple[ChargeLine, ...]),
    "usage": msgspec.json.Decoder(dict[Unit, int]),
    "attempts": msgspec.json.Decoder(tuple[Attempt, ...]),
}

PLAIN_COLUMNS = (
    "reservation_id",
    "account_id",
    "key_id",
    "status",
    "reserve_position",
    "end_position",
    "reserved_at",
    "ended_at",
    "requested_model",
    "model",
    "provider",
    "app",
    "replaces",
    "streamed",
    "granted_tokens",
    "requested_tokens",
    "deadline_at",
    "expires_at",
    "reserved_nusd",
    "cost_nusd",
    "shortfall_nusd",
    "charge_nusd",
    "provider_cost_nusd",
    "price_version",
    "rounding",
    "reason",
    "provider_generation_id",
    "finish_reason",
    "error_class",
    "ttft_ms",
    "total_ms",
    "estimated",
    "quarantined",
    "cancelled",
)

COLUMNS = {name: f"g.{name}" for name in PLAIN_COLUMNS} | {
    "holds": "g.holds::text",
    "burnt": "coalesce(g.burnt::text, '[]')",
    "lines": "coalesce(g.charge_lines::text, '[]')",
    "usage": "coalesce(g.usage::text, '{}')",
    "attempts": """coalesce((
        SELECT json_agg(json_build_object('provider', a.provider, 'error_class', a.error_class, 'status', a.status,
                                          'duration_ms', a.duration_ms) ORDER BY a.position)
          FROM read.generation_attempt_{build} a
         WHERE a.reservation_id = g.reservation_id AND a.account_id = g.account_id)::text, '[]')""",
}

SELECT = f"SELECT {', '.join(COLUMNS.values())} FROM ({VIEWS['generation']}) g WHERE g.account_id = $1"

# A late settle makes a new reservation in place of the one whose id the customer was given: the newest is the answer.
GENERATION = f"""
{SELECT} AND (g.reservation_id = $2 OR (g.replaces <> '' AND g.replaces = $2))
 ORDER BY g.reserve_position DESC LIMIT 1
"""

LAST_GENERATIONS = f"{SELECT} ORDER BY g.reserve_position DESC LIMIT $2"


async def generation(reader: Reader, account_id: str, generation_id: str) -> dict[str, Any] | None:
    """COLUMNS of the request that customers know as `gen-<reservation>`."""
    rows = await reader.rows(GENERATION, [account_id, generation_id.removeprefix("gen-")])
    return _named(rows[0]) if rows else None


async def last_generations(reader: Reader, account_id: str, limit: int) -> Sequence[dict[str, Any]]:
    """The newest `limit` requests, oldest first."""
    rows = await reader.rows(LAST_GENERATIONS, [account_id, limit])
    return [_named(row) for row in reversed(rows)]


def _named(row: tuple[Any, ...]) -> dict[str, Any]:
    named = dict(zip(COLUMNS, row, strict=True))
    app, title = app_and_title(named["app"])
    decoded = {name: decoder.decode(named[name]) for name, decoder in JSON_COLUMNS.items()}
    return named | decoded | {"app": app, "title": title}
