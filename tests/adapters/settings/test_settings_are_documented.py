"""docs/reference/settings.md holds each setting as the code has it, and each setting is read where things are wired."""

import ast
from pathlib import Path

from msgspec.structs import fields

from adapters.settings.secrets import SECRET_NAMES
from adapters.settings.settings import Settings
from tests.adapters.settings.settings_table import DOCS, settings_table

ADAPTERS = Path(__file__).parents[3] / "adapters"


def test_the_secrets_are_documented() -> None:
    text = DOCS.read_text()
    for name in SECRET_NAMES:
        assert f"| `{name}` |" in text


def test_the_reference_repeats_every_setting() -> None:
    assert settings_table() in DOCS.read_text(), "python -m tests.adapters.settings.settings_table writes it"


def test_every_setting_is_read_somewhere() -> None:
    assert sorted({field.name for field in fields(Settings)} - attributes_read_in(ADAPTERS)) == []


def test_what_wiring_reads_of_the_settings_is_a_setting() -> None:
    assert sorted(attributes_read_in(ADAPTERS / "wiring", of="settings") - set(dir(Settings))) == []


def attributes_read_in(folder: Path, of: str | None = None) -> set[str]:
    """Names of attributes, of any value or of the variable `of`."""
    return {
        node.attr
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute)
        and (of is None or (isinstance(node.value, ast.Name) and node.value.id == of))
    }
