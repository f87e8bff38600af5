"""Find long secrets that can be guessed. Only the obviously weak: a text does not show how it was chosen."""

import re
from itertools import pairwise

ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
STEPS = frozenset(pair for row in (*ROWS, *(row[::-1] for row in ROWS)) for pair in pairwise(row)) | frozenset(
    (letter, letter) for row in ROWS for letter in row
)
"""Pairs of neighbours in the alphabet, among digits or on a keyboard, in both directions, and pairs of equal ones."""

PLACEHOLDERS = re.compile(
    "change[-_ .]?(me|this)|replace[-_ .]?(me|this)|password|passw0rd|secret|pepper|admin|gatewayz|example|default"
    "|letmein|derivation|random|insecure|test|key"
)
"""Words of documents and examples. Enough characters must remain without them."""

MIN_DISTINCT = 6
"""16 random hexadecimal digits have fewer different ones once in 30,000 times."""


def weakness(secret: str, least: int) -> str:
    """Why `secret`, which must have at least `least` characters, is easy to guess; empty if it is not obviously so.

    At least half of `least` characters must be neither a step from the one before nor a repetition, and six must be
    different. Random secrets pass, in hexadecimal too: there about 13 of 16 characters count.
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
    """Length of the shortest part that repeated gives `text`; the last repetition may be cut."""
    return next((n for n in range(1, len(text)) if text.startswith(text[n:])), len(text))


def _unforeseen(text: str) -> int:
    """Number of characters that are not a step from the one before."""
    return 1 + sum(pair not in STEPS for pair in pairwise(text))
