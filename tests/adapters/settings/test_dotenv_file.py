"""`.env` beside `serve`: what the environment does not say already."""

import os
from pathlib import Path

import pytest

from adapters.operator_error import OperatorError
from adapters.settings.dotenv_file import read_dotenv


def test_the_environment_wins_and_what_was_taken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# ours\nGATEWAYZ_PORT=9000\nexport OPENAI_API_KEY='sk-$HOME'\nGATEWAYZ_HOST=0.0.0.0\nEMPTY=\n"
    (tmp_path / ".env").write_text(text)
    for name in ("GATEWAYZ_PORT", "OPENAI_API_KEY", "EMPTY"):
        monkeypatch.setenv(name, "")  # an empty variable counts as not set
    monkeypatch.setenv("GATEWAYZ_HOST", "127.0.0.1")
    assert read_dotenv(tmp_path) == ["GATEWAYZ_PORT", "OPENAI_API_KEY"]
    told = [os.environ[name] for name in ("GATEWAYZ_PORT", "OPENAI_API_KEY", "GATEWAYZ_HOST")]
    assert told == ["9000", "sk-$HOME", "127.0.0.1"]


def test_without_a_file_nothing_happens(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path) == []


def test_one_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    with pytest.raises(OperatorError, match="cannot read"):
        read_dotenv(tmp_path)
