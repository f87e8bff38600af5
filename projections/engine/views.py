"""The views of a read model as text: queries embed the SELECT of a view for people, over a build's own tables."""

import re
from collections.abc import Mapping, Sequence
from importlib import resources
from itertools import pairwise
from sys import intern

_COLUMN = re.compile(r"(?:^|\bAS\s+|\.)(\w+)$")

_VIEW = re.compile(r"^CREATE OR REPLACE VIEW read\.(\w+) AS\s+(.+?);$", re.DOTALL | re.MULTILINE)


def views_of(package: str) -> Mapping[str, str]:
    """The SELECT of each view in the views.sql of `package`, by name; `{build}` is not replaced."""
    return views_in(resources.files(package).joinpath("views.sql").read_text("utf-8"))


def views_in(text: str) -> Mapping[str, str]:
    return dict(_VIEW.findall(text))


def columns_of(select: str) -> tuple[str, ...]:
    """Column names of a view's SELECT, in order; interned, like the names of record fields that are looked up by them.
    Raises: ValueError if a column has no name."""
    found = [_COLUMN.search(expression.strip()) for expression in _expressions(select)]
    names = tuple(intern(column[1]) for column in found if column is not None)
    if len(names) < len(found):
        raise ValueError(f"a column without a name: {select}")
    return names


def _expressions(select: str) -> Sequence[str]:
    """The text between SELECT and FROM, split at the commas outside brackets."""
    text, depth, cuts = select.partition("SELECT ")[2], 0, [-1]
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and (letter == "," or re.match(r"\sFROM\s", text[at:])):
            cuts.append(at)
            if letter != ",":
                break
    return [text[start + 1 : end] for start, end in pairwise(cuts)]
