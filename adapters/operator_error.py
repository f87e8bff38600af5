"""The error that ends a command: one clear line for a human (what, where, what to do) and an exit code."""

import re
from collections.abc import Sequence
from typing import get_args

CANNOT = 1
"""The command could not be carried out."""

WRONG_INPUT = 2
"""A setting, an argument or a file is wrong. Trying again does not help."""


class OperatorError(Exception):
    """`str(error)` is the line; it never contains a secret. No traceback is shown for it."""

    def __init__(self, line: str, exit_code: int = CANNOT) -> None:
        super().__init__(" ".join(line.split()))
        self.exit_code = exit_code


_WORDS = (
    (r"Expected `int`, got .*", "must be a whole number"),
    (r"Expected `float`, got .*", "must be a number"),
    (r"Expected `bool`, got .*", "must be true or false"),
    (r"Expected `str( \| null)?`, got .*", "must be a string, in quotes"),
    (r"Expected `(?:int|float)` >= (\S+?)(?:\.0)?", r"must be at least \1"),
    (r"Expected `(?:int|float)` > (\S+?)(?:\.0)?", r"must be more than \1"),
    (r"Expected `(?:int|float)` <= (\S+?)(?:\.0)?", r"must be at most \1"),
    (r"Expected `str` matching regex '\^\[0-9\]\{1,9\}.*", 'must be plain decimal digits, such as "12.5"'),
    (r"Object missing required field `(.+)`", r"\1 is missing"),
    (r"Object contains unknown field `(.+)`", r"there is no field \1"),
)


def in_plain_words(fault: str, choices: Sequence[str] = ()) -> str:
    """Rewrites a message of msgspec about a wrong value, which is for programmers; other text stays unchanged.

    choices: the allowed values, if they are few: msgspec does not list them.
    """
    if choices:
        return f"must be one of {', '.join(choices)}"
    for pattern, words in _WORDS:
        found = re.fullmatch(pattern, fault)
        if found:
            return found.expand(words)
    return fault


def choices_of(kind: object) -> tuple[str, ...]:
    """The strings that a Literal allows, also of a Literal inside Annotated or a union."""
    inner = get_args(kind)
    return tuple(one for one in inner if isinstance(one, str)) or tuple(
        one for part in inner if not isinstance(part, str) for one in choices_of(part)
    )
