"""All queries on the read models in PostgreSQL."""

from collections.abc import Sequence

from adapters.outbound.postgres.read.accounts import PostgresAccountReads
from adapters.outbound.postgres.read.ask_builds import AskBuilds, PoolReader
from adapters.outbound.postgres.read.credits import PostgresCreditReads
from adapters.outbound.postgres.read.due import PostgresDueReads
from adapters.outbound.postgres.read.generations import PostgresGenerationReads
from adapters.outbound.postgres.read.keys import PostgresKeyReads
from adapters.outbound.postgres.read.positions import PostgresPositionReads
from adapters.outbound.postgres.read.statements import PostgresStatementReads
from adapters.outbound.postgres.wire.connection import Pool
from application.reads.reads import Reads
from projections.engine.changes import Projection
from projections.engine.registry import BUILDS


def postgres_reads(pool: Pool, known: Sequence[Projection] = BUILDS) -> Reads:
    """pool: as for PoolReader. known: builds that this release knows how to read."""
    reader = PoolReader(pool)
    builds = AskBuilds(reader, known)
    return Reads(
        accounts=PostgresAccountReads(builds),
        credits=PostgresCreditReads(builds),
        due=PostgresDueReads(builds),
        generations=PostgresGenerationReads(builds),
        keys=PostgresKeyReads(builds),
        positions=PostgresPositionReads(reader, known),
        statements=PostgresStatementReads(builds),
    )
