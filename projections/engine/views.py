"""The views of a read model as text: queries select from what the views for people show, over a build's own tables."""

import re
from collections.abc import Mapping, Sequence
from importlib import resources
from itertools import pairwise
from sys import intern

_COLUMN = re.compile(r"(?:^|\bAS\s+|\.)(\w+)$")

_VIEW = re.compile(r"^CREATE OR REPLACE VIEW read\.(\w+) AS\s+(.+?);$", re.DOTALL | re.MULTILINE)


def views_of(package: str) -> Mapping[str, str]:
    """By name, the SELECT of each view in the views.sql of `package`, `{build}` left in it."""
    return views_in(resources.files(package).joinpath("views.sql").read_text("utf-8"))


def views_in(text: str) -> Mapping[str, str]:
    return dict(_VIEW.findall(text))


def columns_of(select: str) -> tuple[str, ...]:
    """The names of the columns that a view's SELECT gives, in order; interned, as those of a record's fields are, which
    are found by them. Raises: ValueError where it does not name one."""
    found = [_COLUMN.search(expression.strip()) for expression in _expressions(select)]
    names = tuple(intern(column[1]) for column in found if column is not None)
    if len(names) < len(found):
        raise ValueError(f"a column without a name: {select}")
    return names


def _expressions(select: str) -> Sequence[str]:
    """What stands between SELECT and FROM, cut at the commas outside of brackets."""
    text, depth, cuts = select.partition("SELECT ")[2], 0, [-1]
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and (letter == "," or re.match(r"\sFROM\s", text[at:])):
            cuts.append(at)
            if letter != ",":
                break
    return [text[start + 1 : end] for start, end in pairwise(cuts)]
