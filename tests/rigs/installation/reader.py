"""Somebody who reads a document and does what it says, in a fresh folder with a home of its own."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rigs.installation.documents import RECIPE, Block, blocks_of, is_what_was_printed
from tests.rigs.installation.installation import ROOT, Installation, eventually, installation
from tests.rigs.installation.stand_in_curl import folder_with_curl
from tests.rigs.running import free_port

WRITTEN_PORT = "127.0.0.1:8000"
"""As documents have it; a test takes one that is free."""

SERVES = (["make", "run"], [".venv/bin/gatewayz", "serve"])

MAX_S = 120.0


class Reader:
    """Shell blocks share one environment, as in a terminal: what one exports the next ones see."""

    def __init__(self, house: Installation) -> None:
        self._house = house
        self._port = free_port()
        self._printed = ""
        house.settings["GATEWAYZ_PORT"] = str(self._port)
        self._folder = house.home.parent
        (self._folder / ".venv").symlink_to(sys.prefix)
        self._environment = self._folder / "exported.sh"
        self._environment.touch()

    def follow(self, block: Block) -> None:
        text = block.text.replace(WRITTEN_PORT, f"127.0.0.1:{self._port}")
        match block.deed:
            case "serves":
                self._serve(text)
            case "stops":
                self._house.stop()
            case "prints":
                assert is_what_was_printed(text, self._printed), f"{block.place} was not printed, but\n{self._printed}"
            case "file":
                (self._folder / block.about).write_text(text)
            case "run":
                self._run(block, text)

    def _serve(self, text: str) -> None:
        """`make run` is `gatewayz serve` (a test compares); the environment beside the tests is there already."""
        words = shlex.split(text, comments=True)
        settings = {}
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            settings[name] = str(self._folder / value) if name.endswith("_FILE") else value
        assert words in SERVES, words
        self._house.stop()
        (self._house.home / "credentials.json").unlink(missing_ok=True)
        self._house.start(**settings)
        eventually((self._house.home / "credentials.json").exists)
        self._printed = self._house.told

    def _run(self, block: Block, text: str) -> None:
        if block.language == "sh":
            text = f". ./{self._environment.name}\n{text}\nexport -p > {self._environment.name}\n"
            command = ["sh", "-e", "-c", text]
        else:
            (self._folder / "example.py").write_text(text)
            command = ["sh", "-e", "-c", f". ./{self._environment.name}; exec .venv/bin/python example.py"]
        done = subprocess.run(
            command, cwd=self._folder, env=self._variables(), capture_output=True, text=True, timeout=MAX_S, check=False
        )
        assert done.returncode == 0, f"{block.place} ended with {done.returncode}: {done.stdout}{done.stderr}"
        self._printed = done.stdout

    def _variables(self) -> dict[str, str]:
        path = os.pathsep.join([*folder_with_curl(self._folder), os.environ["PATH"]])
        return {**self._house.environment, "PYTHONPATH": str(ROOT), "PATH": path}


@contextmanager
def reader() -> Iterator[Reader]:
    with installation(".gatewayz") as house:
        yield Reader(house)


def documents() -> list[Path]:
    """Pages that promise to work when followed, without those that are only a recipe (tests/rigs/recipes.py)."""
    named = [ROOT / "README.md", ROOT / "docs/tutorial.md", *sorted((ROOT / "docs/how-to").glob("*.md"))]
    return [page for page in named if any(block.deed not in RECIPE for block in blocks_of(page))]
