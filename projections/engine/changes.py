"""What projecting an event yields: a few kinds of change to a few tables. Pure data; adapters turn it into SQL.

Every kind can be merged with its neighbours of the same page without changing what the tables hold afterwards:
inserts do not touch each other, a later Put overwrites an earlier one, Adds add up, a Delete drops earlier changes.
So the projector can write a page in bulk, and a rebuild can split the log anywhere (docs/explanation/projections.md).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol, final

import msgspec

from domain.credit.events import Settled
from domain.event import Event
from domain.rules import Named

SqlType = Literal["int8", "text", "json", "bytea", "bool", "timestamptz", "date"]


class Column(msgspec.Struct, frozen=True):
    """A type and the value that a row has before anything sets it; `json` holds text. There is no float (P6).

    is_required:     in an insert-only table, where a row is written whole: never NULL although it has no default.
    is_from_outside: a text that may contain NUL, which PostgreSQL cannot store (`stored_text`).
    """

    sql_type: SqlType
    default: object = None
    is_required: bool = False
    is_from_outside: bool = False


COUNT = Column("int8", 0)
TEXT = Column("text", "")
TEXT_FROM_OUTSIDE = Column("text", "", is_from_outside=True)
FLAG = Column("bool", False)
BYTES = Column("bytea", b"")
OPTIONAL_INT = Column("int8")
OPTIONAL_TEXT = Column("text")
OPTIONAL_TIME = Column("timestamptz")
OPTIONAL_JSON = Column("json")
TIME = Column("timestamptz", is_required=True)
JSON = Column("json", is_required=True)
DAY = Column("date")


class Index(msgspec.Struct, frozen=True):
    """columns: as SQL names them, in order; where: the condition of a partial index, or empty."""

    name: str
    columns: str
    where: str = ""


class Table(msgspec.Struct, frozen=True, eq=False):
    """One table of a read model, the only place where its columns are spelled: DDL, COPY and comparisons follow.

    name:         the physical table is read.<name>_<build>, so that two builds can exist at the same time.
    columns:      in order, those of the key first.
    key:          number of leading columns that identify a row.
    deletes_by:   number of leading key columns that a Delete names; 0 if rows are never deleted.
    insert_only:  rows are written once, keyed by (position, ...), and never touched again.
    fillfactor:   in percent; less than 100 leaves room on a page for new versions of its rows.
    """

    name: str
    columns: Mapping[str, Column]
    key: int = 1
    deletes_by: int = 0
    insert_only: bool = False
    indexes: tuple[Index, ...] = ()
    fillfactor: int = 100

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(self.columns)[: self.key]

    @property
    def defaults(self) -> dict[str, object]:
        """A fresh row without its key."""
        return {name: self.columns[name].default for name in self.names[self.key :]}


class Logged(Protocol):
    """What a projection may read of an event: only what every copy of the log has."""

    @property
    def position(self) -> int: ...

    @property
    def stream(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def tag(self) -> str: ...

    @property
    def event(self) -> Event: ...


@final
class Insert(msgspec.Struct, frozen=True, gc=False):
    """New rows of an insert-only table: whole, in column order, in order of their key."""

    table: Table
    rows: Sequence[tuple[object, ...]]


@final
class Put(msgspec.Struct, frozen=True, gc=False):
    """Set columns of the row with this key; a missing row is made with defaults first."""

    table: Table
    key: tuple[object, ...]
    values: Mapping[str, object]


@final
class Add(msgspec.Struct, frozen=True, gc=False):
    """Add integers to columns of the row with this key; a missing row starts at its defaults. Commutes with itself.

    seen_at: if not 0, also sets column `position`: the newest event that touched the row.
    """

    table: Table
    key: tuple[object, ...]
    deltas: dict[str, int]
    seen_at: int = 0


@final
class Delete(msgspec.Struct, frozen=True, gc=False):
    """Remove all rows with a key that begins with this one (`Table.deletes_by` columns); there may be none."""

    table: Table
    key: tuple[object, ...]


Change = Insert | Put | Add | Delete


class Law(msgspec.Struct, frozen=True):
    """What must hold for the rows of a read model as a whole; `verify` checks it.

    first_breach: SQL for (position, place) of the first breach, no row if there is none; {build} is the tables' suffix.
    """

    says: str
    first_breach: str


class Projection(msgspec.Struct, frozen=True, eq=False):
    """One version of a read model as data. Tables and rule of a version never change: a change is the next version,
    which is built beside the one before.

    rules:    which events `project` handles and ignores; every build that is shipped has them.
    package:  the folder, as an import path, that holds its project.py, views.sql and queries.py.
    unlike:   tables ("credit_lot") and columns ("credit_lot.kind") that this version fills differently from the version
              before on purpose: they are not compared before readers switch to this version.
    """

    name: str
    version: int
    tables: tuple[Table, ...]
    project: Callable[[Logged], Sequence[Change]]
    package: str
    laws: tuple[Law, ...] = ()
    unlike: frozenset[str] = frozenset()
    rules: Named | None = None

    @property
    def build(self) -> str:
        """The suffix of its tables' names."""
        return f"v{self.version}"


CREDIT_PREFIX = len("credit-")
"""Credit events are in streams `credit-<account id>`; a slice is the fastest way to the id."""


def burnt_nusd(event: Settled) -> int:
    """`event.paid_nusd`, faster in the usual case of one lot, since every projection needs it."""
    burnt = event.burnt
    return burnt[0].amount_nusd if len(burnt) == 1 else event.paid_nusd


def stored_text(text: str) -> str:
    """`text` as PostgreSQL can store it: without NUL, which JSON and providers may send."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text
