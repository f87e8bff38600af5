"""What a verb loads: `--help` answers at once, and no process carries another's code."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HELP_WITHIN_S = 0.5


def loaded_by(code: str) -> set[str]:
    """Modules in memory after `code`."""
    asking = f"{code}\nimport sys; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", asking], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_answers_within_half_a_second() -> None:
    took_s = []
    for _ in range(3):
        began_s = time.process_time()
        began = os.times().children_user + os.times().children_system
        subprocess.run([sys.executable, "-m", "adapters.wiring", "--help"], cwd=ROOT, capture_output=True, check=True)
        took_s.append(os.times().children_user + os.times().children_system - began + time.process_time() - began_s)
    assert min(took_s) < HELP_WITHIN_S, f"{took_s} of processor time"


def test_help_loads_neither_servers_nor_drivers() -> None:
    loaded = loaded_by(
        "from adapters.inbound.cli.app import build_cli; from adapters.wiring.commands.actions import WiredActions"
    )
    assert not loaded & {
        "fastapi",
        "uvicorn",
        "psycopg",
        "httpx",
        "aiohttp",
        "cryptography",
        "pydantic",
        "opentelemetry",
    }


@pytest.mark.parametrize("program", ["run_api", "run_projector", "run_serve"])
def test_no_process_loads_client_sdks_or_the_command_line(program: str) -> None:
    loaded = loaded_by(f"import adapters.wiring.processes.{program}")
    assert not loaded & {"openai", "anthropic", "typer", "eventsourcing", "opentelemetry.sdk", "genai_prices"}


def test_api_processes_load_one_http_client() -> None:
    loaded = loaded_by("import adapters.wiring.processes.run_api")
    assert not loaded & {"httpx", "aiohttp", "requests", "urllib3"}


def test_the_projector_and_the_supervisor_carry_no_web_framework() -> None:
    for program in ("run_projector", "run_serve"):
        assert not loaded_by(f"import adapters.wiring.processes.{program}") & {"fastapi", "uvicorn", "httptools"}
