"""Implements application.reads.statements."""

import msgspec

from adapters.outbound.postgres.read.ask_builds import AskBuilds
from application.reads.credits import Credits
from application.reads.generations import GenerationRecord
from application.reads.statements import LotRecord, Statement
from projections.available_credit.queries import credits_of, lots_of
from projections.generation.queries import last_generations


class PostgresStatementReads:
    def __init__(self, builds: AskBuilds) -> None:
        self._builds = builds

    async def of_account(self, account_id: str, limit: int) -> Statement:
        async with self._builds.one_moment() as moment:
            credit = await moment.ask(credits_of, account_id)
            lots = await moment.ask(lots_of, account_id)
            requests = await moment.ask(last_generations, account_id, limit)
        return Statement(
            Credits(**credit),
            [LotRecord(**lot) for lot in lots],
            [msgspec.convert(request, GenerationRecord) for request in requests],
            moment.position,
        )
