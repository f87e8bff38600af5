from collections.abc import Iterator

import msgspec

from application.reads.generations import GenerationRecord
from projections.generation.app_column import app_and_title
from projections.generation.project import (
    GENERATION_ATTEMPT,
    GENERATION_END,
    GENERATION_EXTENSION,
    GENERATION_RESERVE,
)
from tests.fakes.reads.tables import ReplayedTables, Row

UNENDED: Row = {name: column.default for name, column in GENERATION_END.columns.items()}


class MemoryGenerationReads:
    def __init__(self, tables: ReplayedTables) -> None:
        self._tables = tables

    async def find(self, account_id: str, generation_id: str) -> GenerationRecord | None:
        wanted = generation_id.removeprefix("gen-")
        found = [one for one in self.of_account(account_id) if wanted in (one.reservation_id, one.replaces)]
        return found[-1] if found else None

    def of_account(self, account_id: str) -> Iterator[GenerationRecord]:
        """In order of their reserves."""
        for reserve in self._tables.rows(GENERATION_RESERVE, account_id=account_id):
            yield self._record(reserve)

    def _record(self, reserve: Row) -> GenerationRecord:
        """As views.sql joins them."""
        about = {"reservation_id": reserve["reservation_id"], "account_id": reserve["account_id"]}
        found = self._tables.row(GENERATION_END, **about)
        end = found or UNENDED
        extensions = self._tables.rows(GENERATION_EXTENSION, **about)
        app, title = app_and_title(reserve["app"])
        held_nusd = reserve["amount_nusd"] + sum(row["added_nusd"] for row in extensions)
        known = {
            **reserve,
            **end,
            **about,
            **{name: end[name] or reserve[name] for name in ("model", "provider", "price_version", "streamed")},
            "status": end["status"] or "reserved",
            "reserve_position": reserve["position"],
            "end_position": end["position"] or None,
            "reserved_at": reserve["at"],
            "ended_at": end["at"],
            "reserved_nusd": end["reserved_nusd"] if found else held_nusd,
            "app": app,
            "title": title,
            "holds": msgspec.json.decode(reserve["holds"]),
            "burnt": msgspec.json.decode(end["burnt"] or "[]"),
            "lines": msgspec.json.decode(end["charge_lines"] or "[]"),
            "usage": msgspec.json.decode(end["usage"] or "{}"),
            "attempts": self._tables.rows(GENERATION_ATTEMPT, **about),
        }
        return msgspec.convert(known, GenerationRecord)
