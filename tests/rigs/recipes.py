"""Recipes of docs/how-to, followed on a copy of the tree: the blocks that a page marks as steps, then its checks.

<!-- step: FILE -->               a new file
<!-- step: FILE below `TEXT` -->  lines that follow the one line of FILE which has TEXT
<!-- step: FILE in place of `TEXT` -->  lines instead of the one line of FILE which has TEXT
<!-- step: FILE at its end -->    lines that end FILE
<!-- step: run -->                a command
<!-- check -->                    a command that ends with 0 if nothing was forgotten, and with 1 otherwise
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.rigs.installation.documents import Block, blocks_of
from tests.rigs.running import ROOT

FOLDERS = ("domain", "application", "projections", "adapters", "migrations", "docs", "tests")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", "logs")
TIMEOUT_S = 120.0

_IN_FILE = re.compile(r"(?P<file>\S+) (?:(?P<how>below|in place of) `(?P<text>.+)`|at its end)")


class CommandFailed(AssertionError):
    """A step's command did not end with 0."""


class Recipe:
    def __init__(self, page: str) -> None:
        blocks = blocks_of(ROOT / "docs/how-to" / page)
        self.page = page
        self.steps = [block for block in blocks if block.deed == "step"]
        self.checks = [block for block in blocks if block.deed == "check"]

    def product_files(self) -> set[str]:
        """Files of the product that it changes; those it adds are its own."""
        found = (_IN_FILE.fullmatch(step.about) for step in self.steps)
        return {one["file"] for one in found if one and one["file"].split("/")[0] not in ("docs", "tests")}


def copy_of_the_tree(folder: Path) -> Path:
    tree = folder / "tree"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tree / name, ignore=LEFT_OUT)
    return tree


@contextmanager
def followed(tree: Path, steps: Sequence[Block]) -> Iterator[None]:
    """Afterwards the files are as they were."""
    kept = {folder: dict(_files_in(tree / folder)) for folder in FOLDERS}
    try:
        for step in steps:
            _follow(tree, step)
        yield
    finally:
        for folder, before in kept.items():
            for file, text in _files_in(tree / folder):
                if file not in before:
                    file.unlink()
                elif text != before[file]:
                    file.write_bytes(before[file])


def complaints(tree: Path, recipe: Recipe) -> str:
    """What its checks print; empty if all of them pass."""
    done = [_run(tree, check) for check in recipe.checks]
    assert all(one.returncode in (0, 1, 2) for one in done), [one.stdout + one.stderr for one in done]
    return "".join(one.stdout + one.stderr for one in done if one.returncode)


def _follow(tree: Path, step: Block) -> None:
    if step.about == "run":
        done = _run(tree, step)
        if done.returncode != 0:
            raise CommandFailed(f"{step.place}: {done.stdout}{done.stderr}")
    elif place := _IN_FILE.fullmatch(step.about):
        _insert(tree / place["file"], place["text"], step, instead=place["how"] == "in place of")
    else:
        (tree / step.about).parent.mkdir(parents=True, exist_ok=True)
        (tree / step.about).write_text(step.text)


def _insert(file: Path, text: str | None, step: Block, instead: bool) -> None:
    lines = file.read_text().splitlines(keepends=True)
    places = [number for number, line in enumerate(lines, 1) if text in line] if text else [len(lines)]
    assert len(places) == 1, f"{step.place}: {text} is in {len(places)} lines of {file}, not in one"
    file.write_text("".join([*lines[: places[0] - instead], step.text, *lines[places[0] :]]))


def _files_in(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for file in folder.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file, file.read_bytes()


def _run(tree: Path, block: Block) -> "subprocess.CompletedProcess[str]":
    """`python` is the one that runs the tests; it sees the tree before anything that is installed."""
    text = block.text.replace("python -m pytest", "python -m pytest -q -x --noconftest -p no:cacheprovider")
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    return subprocess.run(
        ["sh", "-e", "-c", text],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
