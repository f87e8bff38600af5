"""All questions to the read models, by noun."""

import msgspec

from application.reads.accounts import AccountReads
from application.reads.credits import CreditReads
from application.reads.due import DueReads
from application.reads.generations import GenerationReads
from application.reads.keys import KeyReads
from application.reads.positions import PositionReads
from application.reads.statements import StatementReads


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    """Built by wiring. A use case that reads one noun takes only that noun's reads."""

    accounts: AccountReads
    credits: CreditReads
    due: DueReads
    generations: GenerationReads
    keys: KeyReads
    positions: PositionReads
    statements: StatementReads
