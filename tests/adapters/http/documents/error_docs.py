"""docs/reference/errors.md's table, from the code's: `python -m tests.adapters.http.documents.error_docs` writes it."""

import re
from pathlib import Path

from adapters.inbound.http.errors.table import TABLE

DOCS = Path(__file__).parents[4] / "docs/reference/errors.md"

HEAD = "| code | status | type | message |\n|---|---|---|---|\n"


def table_of_codes() -> str:
    rows = sorted(TABLE.items(), key=lambda row: (row[1].status, row[0]))
    return HEAD + "".join(f"| `{code}` | {row.status} | `{row.type}` | {row.message} |\n" for code, row in rows)


if __name__ == "__main__":
    text = DOCS.read_text()
    DOCS.write_text(re.sub(re.escape(HEAD) + r"(\|.*\n)*", lambda _: table_of_codes(), text))
