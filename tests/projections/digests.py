"""What the tables of each version of a read model ever released are, by a digest of their DDL and declaration.

`python -m tests.projections.digests` writes those that are missing, and none that is there.
"""

import hashlib
import json
import re
from pathlib import Path

from projections.engine.changes import Column, Projection
from projections.engine.registry import BUILDS, tables_sql

GOLDEN = Path(__file__).parents[1] / "golden" / "read_models.json"


class _Told:
    """A column as digests have it: what the first of them were made of."""

    def __init__(self, column: Column) -> None:
        self.column = column

    def __repr__(self) -> str:
        return f"Column(sql_type={self.column.sql_type!r}, default={self.column.default!r})"


def name_of(build: Projection) -> str:
    return f"{build.name} {build.build}"


def digest_of(build: Projection) -> str:
    """Of the statements without comments and blanks, and of the declared tables."""
    ddl = " ".join(re.sub(r"--.*", "", tables_sql(build)).split())
    declared = repr([(t.name, {n: _Told(c) for n, c in t.columns.items()}, t.key, t.deletes_by) for t in build.tables])
    return hashlib.sha256((ddl + declared).encode()).hexdigest()


def digests() -> dict[str, str]:
    found: dict[str, str] = json.loads(GOLDEN.read_text())
    return found


def write_missing() -> None:
    known = {name_of(build): digest_of(build) for build in BUILDS} | digests()
    GOLDEN.write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")


if __name__ == "__main__":
    write_missing()
