"""A next release for tests: a copy of the product in which versions of read models were raised by the documented recipe
(docs/how-to/change-a-read-model.md)."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.rigs.running import ROOT

PRODUCT = ("domain", "application", "projections", "adapters", "migrations")


def next_release(folder: Path, names: Sequence[str]) -> Path:
    """A tree in `folder` that can be run by PYTHONPATH; the read models `names` have one version more in it."""
    tree = folder / "next_release"
    for package in PRODUCT:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in names:
        raise_version(tree, name)
    return tree


def raise_version(tree: Path, name: str) -> None:
    current = tree / "projections" / name
    project = current / "project.py"
    (version,) = re.findall(r"\bversion=(\d+),", project.read_text())
    earlier = current / f"v{version}"
    shutil.copytree(current, earlier, ignore=lambda _, names: [n for n in names if re.fullmatch(r"v\d+", n)])
    for file in earlier.glob("*.py"):
        edit(file, rf"\bprojections\.{name}\.", f"projections.{name}.v{version}.", at_least=0)
    edit(tree / "projections" / "engine" / "registry.py", rf'("{name}": \()([^)]*)\)', rf"\g<1>\g<2>{version}, )")
    edit(project, rf"\bversion={version},", f"version={int(version) + 1},")


def edit(file: Path, pattern: str, replacement: str, at_least: int = 1) -> None:
    text, count = re.subn(pattern, replacement, file.read_text())
    assert count >= at_least, f"{file} has no {pattern}"
    file.write_text(text)
