"""A class name stands for one thing in the whole product, so that a name in a traceback or a page is enough."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("domain", "application", "projections", "adapters", "migrations")


def test_no_class_name_is_given_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in sorted(file for top in PRODUCT for file in (ROOT / top).rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(file.relative_to(ROOT)))
    assert len(places) > 300
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
