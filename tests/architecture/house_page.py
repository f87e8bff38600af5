"""The table of rooms in docs/explanation/architecture.md, from each folder's `__init__`.

`python -m tests.architecture.house_page` writes it.
"""

import ast
import re
from pathlib import Path

from tests.architecture.pages import PRODUCT, ROOT

PAGE = ROOT / "docs/explanation/architecture.md"
BEGIN, END = "<!-- the house -->\n", "<!-- end of the house -->"


def house_table() -> str:
    rows = [f"| `{room.relative_to(ROOT)}` | {_sentence_of(room)} |\n" for room in rooms()]
    return "| room | holds |\n|---|---|\n" + "".join(rows)


def rooms() -> list[Path]:
    """Every package of the product; earlier versions of a read model are copies of their room, not rooms."""
    found = {file.parent for top in PRODUCT for file in (ROOT / top).rglob("__init__.py")}
    return sorted(room for room in found if not re.fullmatch(r"v\d+", room.name))


def _sentence_of(room: Path) -> str:
    """The first paragraph of its docstring, in one line, without citations of pages."""
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    line = re.sub(r" \(docs/[^)]*\)", "", " ".join(said.partition("\n\n")[0].split()))
    return line.replace("|", "\\|").replace("<", "&lt;")


def with_table(text: str) -> str:
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}{house_table()}{END}", text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
