"""Counting the words that make prose read as translated, in pages and in the comments and docstrings of code."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ODD = re.compile(
    r"\b(?:whoever|whomever|nobody|somebody|whose|told|says|tells|anew|meanwhile|besides)\b", re.IGNORECASE
)
"""Persons where there are processes, speech where there are values, and adverbs for `again`, `while`, `also`."""

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`|\]\([^)]*\)|<!--.*?-->")
_WORD = re.compile(r"[A-Za-z][\w'-]*")


def prose_of(file: Path) -> str:
    """What a person reads: of a page all but its code, of a module its docstrings and comments."""
    return prose_of_page(file.read_text()) if file.suffix == ".md" else "\n".join(prose_of_code(file.read_text()))


def prose_of_page(text: str) -> str:
    return _CODE.sub(" ", _FENCE.sub("", text))


def prose_of_code(text: str) -> Iterator[str]:
    """Strings that stand alone are docstrings, of a module, class, function or constant."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield _CODE.sub(" ", node.value.value)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def words_in(prose: str) -> int:
    return len(_WORD.findall(prose))


def odd_words_in(prose: str) -> list[str]:
    """Each with the words around it."""
    flat = " ".join(prose.split())
    return [flat[max(0, found.start() - 50) : found.end() + 30] for found in ODD.finditer(flat)]
