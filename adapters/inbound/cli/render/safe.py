"""Nothing that a stranger named may steer a terminal: escapes, line ends, marks that turn the direction of text."""

import re

_UNPRINTABLE_IN_JSON = re.compile(r"[^\n -~]")


def safe(text: str) -> str:
    """`text` with its unprintable characters spelt out."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _spelt(c) for c in text)


def safe_json(document: str) -> str:
    """The same document with such characters as JSON's own escapes. Control characters below 32 are escaped already."""
    return _UNPRINTABLE_IN_JSON.sub(lambda found: found[0] if found[0].isprintable() else _escaped(found[0]), document)


def _spelt(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _escaped(character: str) -> str:
    """One or two UTF-16 units, as JSON has them."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
