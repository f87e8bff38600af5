from collections.abc import Sequence

from application.reads.reads import Reads
from domain.log import RecordedEvent
from tests.fakes.reads.accounts import MemoryAccountReads
from tests.fakes.reads.credits import MemoryCreditReads
from tests.fakes.reads.due import MemoryDueReads
from tests.fakes.reads.generations import MemoryGenerationReads
from tests.fakes.reads.keys import MemoryKeyReads
from tests.fakes.reads.positions import MemoryPositionReads
from tests.fakes.reads.statements import MemoryStatementReads
from tests.fakes.reads.tables import ReplayedTables


def memory_reads(log: Sequence[RecordedEvent], positions: MemoryPositionReads | None = None) -> Reads:
    """log: may grow; all of it is in every answer."""
    tables = ReplayedTables(log)
    return Reads(
        accounts=MemoryAccountReads(tables),
        credits=MemoryCreditReads(tables),
        due=MemoryDueReads(tables),
        generations=MemoryGenerationReads(tables),
        keys=MemoryKeyReads(tables),
        positions=positions or MemoryPositionReads(log),
        statements=MemoryStatementReads(tables),
    )
