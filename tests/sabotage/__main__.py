"""`make sabotage`: break each promise on purpose in a copy of the tree; its test must turn red then."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from tests.sabotage.patch import Patch
from tests.sabotage.patches import PATCHES

ROOT = Path(__file__).parents[2]
AT_ONCE = 2
TESTS_TIMEOUT_S = 1_800
"""For all of them together before anything is broken; one alone takes a minute at the most."""


class Misplaced(Exception):
    """A patch no longer fits the code it wants to break: mend the patch."""


def main(words: Sequence[str]) -> int:
    """Exit code 0 only if every test was green before and red after. `words` choose patches whose text has one."""
    chosen = [p for p in PATCHES if not words or any(word in " ".join(p) for word in words)]
    with ExitStack() as stack:
        trees: SimpleQueue[Path] = SimpleQueue()
        for _ in range(AT_ONCE):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gatewayz-sabotage-"))
            trees.put(copy_of_the_tree(Path(folder)))
        if not all_pass(trees, sorted({p.test for p in chosen})):
            print("the tests are red before anything was broken: nothing is proven")
            return 1
        with ThreadPoolExecutor(AT_ONCE) as pool:
            noticed = list(pool.map(lambda patch: is_noticed_in_one_of(trees, patch), chosen))
    print(f"\n{sum(noticed)} of {len(chosen)} sabotages noticed")
    return 0 if all(noticed) else 1


def all_pass(trees: "SimpleQueue[Path]", tests: Sequence[str]) -> bool:
    tree = trees.get()
    try:
        return passes(tree, tests, "-n", str(AT_ONCE), "--dist", "loadfile")
    finally:
        trees.put(tree)


def is_noticed_in_one_of(trees: "SimpleQueue[Path]", patch: Patch) -> bool:
    """Each thread breaks a tree of its own."""
    tree = trees.get()
    try:
        return is_noticed(tree, patch)
    finally:
        trees.put(tree)


def copy_of_the_tree(folder: Path) -> Path:
    """What git knows and what it would take: never caches, data or the virtual environment."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    tree = folder / "tree"
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    return tree


def is_noticed(tree: Path, patch: Patch) -> bool:
    file = tree / patch.file
    whole = file.read_text()
    if whole.count(patch.old) != 1:
        raise Misplaced(f"{patch.what}: {patch.old!r} occurs {whole.count(patch.old)} times in {patch.file}, not once")
    try:
        file.write_text(whole.replace(patch.old, patch.new))
        noticed = not passes(tree, [patch.test])
    finally:
        file.write_text(whole)
    print(f"{'red, as it must be' if noticed else 'NOT NOTICED':20} {patch.promise:5} {patch.what}", flush=True)
    return noticed


def passes(tree: Path, tests: Sequence[str], *options: str) -> bool:
    """Only a failed test (exit code 1) counts as red: one that could not run proves nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *options, *tests]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=TESTS_TIMEOUT_S, check=False)
    if done.returncode == 1 and len(tests) > 1:
        print(done.stdout[-2000:])
    if done.returncode not in (0, 1):
        raise Misplaced(f"pytest ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-1000:]}")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
