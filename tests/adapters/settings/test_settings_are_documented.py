"""docs/reference/settings.md holds each setting as the code has it. `python -m tests.adapters.settings.settings_table`
prints the table to paste."""

from pathlib import Path

from adapters.settings.secrets import SECRET_NAMES
from tests.adapters.settings.settings_table import settings_table

DOCUMENT = Path(__file__).parents[3] / "docs/reference/settings.md"


def test_the_secrets_are_documented() -> None:
    text = DOCUMENT.read_text()
    for name in SECRET_NAMES:
        assert f"| `{name}` |" in text


def test_the_reference_repeats_every_setting() -> None:
    assert settings_table() in DOCUMENT.read_text()
