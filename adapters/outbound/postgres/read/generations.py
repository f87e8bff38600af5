"""Implements application.reads.generations."""

import msgspec

from adapters.outbound.postgres.read.ask_builds import AskBuilds
from application.reads.generations import GenerationRecord
from projections.generation import queries


class PostgresGenerationReads:
    def __init__(self, builds: AskBuilds) -> None:
        self._builds = builds

    async def find(self, account_id: str, generation_id: str) -> GenerationRecord | None:
        found = await self._builds.ask(queries.generation, account_id, generation_id)
        return msgspec.convert(found, GenerationRecord) if found else None
