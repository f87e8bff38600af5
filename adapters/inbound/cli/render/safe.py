"""Untrusted text must not control a terminal: escape sequences, line ends and direction marks are spelt out."""

import re

_UNPRINTABLE_IN_JSON = re.compile(r"[^\n -~]")


def safe(text: str) -> str:
    """`text` with its unprintable characters escaped."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _spelt(c) for c in text)


def safe_json(document: str) -> str:
    """The same document with unprintable characters as JSON escapes; JSON already escapes those below 32."""
    return _UNPRINTABLE_IN_JSON.sub(lambda found: found[0] if found[0].isprintable() else _escaped(found[0]), document)


def _spelt(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _escaped(character: str) -> str:
    """One or two UTF-16 units, as in JSON."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
