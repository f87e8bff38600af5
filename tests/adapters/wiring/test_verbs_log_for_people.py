"""What a verb logs stands beside its result: it is for a person, unless JSON is asked for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOGGING = """
import sys, structlog
from adapters.wiring.commands.actions import _settings_of
_settings_of(sys.argv[1])
structlog.get_logger().warning("break-glass grant", amount_nusd=5)
"""


@pytest.mark.parametrize(
    ("process", "form", "is_json"),
    [("grant", "auto", False), ("serve", "auto", True), ("api", "auto", True), ("grant", "json", True)],
)
def test_a_verb_logs_in_words_and_a_server_in_json(tmp_path: Path, process: str, form: str, is_json: bool) -> None:
    environment = {**os.environ, "GATEWAYZ_HOME": str(tmp_path), "GATEWAYZ_LOG_FORMAT": form}
    told = subprocess.run(
        [sys.executable, "-c", LOGGING, process], env=environment, capture_output=True, text=True, check=True
    )
    (line,) = told.stderr.splitlines()
    assert "break-glass grant" in line and "\x1b" not in line
    assert line.startswith("{") == is_json
    if is_json:
        assert json.loads(line)["process"] == process
