"""What a provider bills us and what a customer paid have a name each: no identifier is a bare `cost_nusd`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from application.reads.generations import GenerationRecord
from domain.credit.events import Generation

ROOT = Path(__file__).parents[2]
FOLDERS = ("domain", "application", "projections", "adapters", "migrations", "tests")
AMBIGUOUS = "cost_nusd"


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names of variables, attributes, arguments, keywords, functions and classes. Strings are keys and columns; so are
    the keywords of `insert_by_name`."""
    columns = {
        keyword
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "insert_by_name"
        for keyword in node.keywords
    }
    for node in ast.walk(tree):
        if node in columns:
            continue
        for field in ("id", "attr", "arg", "name", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield value, getattr(node, "lineno", 0)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_identifier_leaves_open_who_paid_whom(folder: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for name, line in identifiers(ast.parse(file.read_text()))
        if name == AMBIGUOUS
    ]
    assert found == []


def test_what_is_stored_and_shown_keeps_its_key() -> None:
    generation = Generation(provider="p", model="m", usage={}, provider_cost_nusd=7)
    assert msgspec.to_builtins(generation)["cost_nusd"] == 7
    assert msgspec.convert({"provider": "p", "model": "m", "usage": {}, "cost_nusd": 7}, Generation) == generation
    shown = {field.name: field.encode_name for field in msgspec.structs.fields(GenerationRecord)}
    assert (shown["paid_nusd"], shown["provider_cost_nusd"]) == ("cost_nusd", "provider_cost_nusd")


def test_the_glossary_has_both() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text()
    assert "`provider_cost_nusd`" in glossary and "`paid_nusd`" in glossary
