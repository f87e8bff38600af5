"""Secrets are printed to a terminal or written to a file of their own, never to a stdout that may be a log."""

import os
import sys
from pathlib import Path

from adapters.operator_error import WRONG_INPUT, OperatorError

FILE_MODE = 0o600


def is_terminal() -> bool:
    """Whether a person reads what is printed."""
    return sys.stdout.isatty()


def give_secret(text: str, file: Path | None) -> None:
    """Print `text` to the terminal, or write it to a new `file` that only its owner can read. Raises: OperatorError."""
    if file is not None:
        _write(text, file)
    elif is_terminal():
        print(text)
    else:
        raise OperatorError("this is a secret and stdout is no terminal: add --to FILE", WRONG_INPUT)


def _write(text: str, file: Path) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        raise OperatorError(f"cannot make {file}: {error.strerror}", WRONG_INPUT) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text + "\n")
