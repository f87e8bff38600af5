"""As projections/ledger_entries/project.py in a next release."""

from collections.abc import Sequence

from projections.engine.changes import COUNT, CREDIT_PREFIX, TEXT, Change, Insert, Law, Logged, Projection, Table
from projections.ledger_entries.project import PROJECTION as BEFORE

LEDGER_ENTRY = Table(
    "ledger_entry",
    {"position": COUNT, "line": COUNT, "account_id": TEXT, "book": TEXT, "amount_nusd": COUNT, "about": TEXT},
    key=2,
    insert_only=True,
)


def project(recorded: Logged) -> Sequence[Change]:
    account_id = recorded.stream[CREDIT_PREFIX:]
    return [
        Insert(
            LEDGER_ENTRY,
            [
                (position, line, account_id, book, amount_nusd, correlation)
                for position, line, book, amount_nusd, _, correlation in change.rows
            ],
        )
        for change in BEFORE.project(recorded)
        if isinstance(change, Insert)
    ]


BALANCED = Law(
    "the trial balance is zero",
    """
    SELECT max(position), 'sum ' || sum(amount_nusd)::text FROM read.ledger_entry_{build} HAVING sum(amount_nusd) <> 0
    """,
)

PROJECTION = Projection(
    "ledger_entries",
    version=BEFORE.version + 1,
    tables=(LEDGER_ENTRY,),
    project=project,
    rules=BEFORE.rules,
    package=__package__,
    laws=(BALANCED,),
)
