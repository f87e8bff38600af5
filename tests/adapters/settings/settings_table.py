"""docs/reference/settings.md's table, from the code: `python -m tests.adapters.settings.settings_table` writes it."""

import re
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import msgspec
from msgspec import Meta

from adapters.settings.settings import Settings

DOCS = Path(__file__).parents[3] / "docs/reference/settings.md"

HEAD = "| name | default | meaning |\n|---|---|---|\n"


def settings_table() -> str:
    return HEAD + "".join(_row(field) + "\n" for field in msgspec.structs.fields(Settings))


def _row(field: Any) -> str:
    notes = [meta for meta in get_args(field.type) if isinstance(meta, Meta)]
    description = next(meta.description for meta in reversed(notes) if meta.description)
    return f"| `{field.encode_name}` | {_shown(field.default)} | {description}{_allowed(field.type, notes)} |"


def _shown(default: object) -> str:
    if default in ("", None):
        return "—"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _allowed(annotated: Any, notes: list[Meta]) -> str:
    kind = get_args(annotated)[0] if get_origin(annotated) is Annotated else annotated
    if choices := [choice for choice in get_args(kind) if isinstance(choice, str)]:
        return f" One of {', '.join(f'`{choice}`' for choice in choices)}."
    bounds = [
        (meta.ge, meta.le) for meta in notes if isinstance(meta.ge, int) and isinstance(meta.le, int) and kind is int
    ]
    return " From {} to {}.".format(*bounds[0]) if bounds else ""


if __name__ == "__main__":
    text = DOCS.read_text()
    DOCS.write_text(re.sub(re.escape(HEAD) + r"(\|.*\n)*", lambda _: settings_table(), text, count=1))
