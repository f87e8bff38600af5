"""Secrets that are long and yet can be guessed. Only what is obviously weak: no text tells how it was chosen."""

import re
from itertools import pairwise

ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
STEPS = frozenset(pair for row in (*ROWS, *(row[::-1] for row in ROWS)) for pair in pairwise(row)) | frozenset(
    (letter, letter) for row in ROWS for letter in row
)
"""Characters that follow on each other in an alphabet, in counting or on a keyboard, either way, and repeated ones."""

PLACEHOLDERS = re.compile(
    "change[-_ .]?(me|this)|replace[-_ .]?(me|this)|password|passw0rd|secret|pepper|admin|gatewayz|example|default"
    "|letmein|derivation|random|insecure|test|key"
)
"""Of documents and examples. Without them there must be enough left."""

MIN_DISTINCT = 6
"""Of 16 random hexadecimal digits fewer are different once in 30,000 times."""


def weakness(secret: str, least: int) -> str:
    """Why `secret`, which must have at least `least` characters, is easy to guess; empty if nothing shows that it is.

    Half of `least` characters must follow neither from the one before nor from an earlier part, and at least six be
    different. Random ones pass, in hexadecimal too: there about 13 of 16 characters do.
    """
    own = PLACEHOLDERS.sub("", secret.lower())
    own = re.sub(r"[\W_]+", "", own)
    unit = own[: _period(own)]
    if 2 * len(unit) < least:
        return "it is a short text repeated, or made of words that everybody tries"
    if len(set(unit)) < MIN_DISTINCT:
        return f"it has fewer than {MIN_DISTINCT} different characters"
    if 2 * _unforeseen(unit) < least:
        return "most of its characters follow on each other"
    return ""


def _period(text: str) -> int:
    """The least number of characters of which `text` is a repetition, the last one perhaps cut short."""
    return next((n for n in range(1, len(text)) if text.startswith(text[n:])), len(text))


def _unforeseen(text: str) -> int:
    """Characters that are no step from the one before."""
    return 1 + sum(pair not in STEPS for pair in pairwise(text))
