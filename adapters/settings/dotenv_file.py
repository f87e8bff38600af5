"""A `.env` file in the folder where `serve` is started: settings and keys that the environment lacks."""

import os
from collections.abc import Sequence
from pathlib import Path

from dotenv import dotenv_values

from adapters.operator_error import WRONG_INPUT, OperatorError

FILE = ".env"


def read_dotenv(folder: Path | None = None) -> Sequence[str]:
    """Add the file's variables that are not set to the environment, for us and our children.

    Returns: the names taken from the file, sorted; none without a file. Values are not expanded.
    Raises:  OperatorError if it cannot be read.
    """
    file = (folder or Path.cwd()) / FILE
    if not file.is_file():
        return []
    try:
        found = dotenv_values(file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"cannot read {file}: {error}", WRONG_INPUT) from error
    new = {name: value for name, value in found.items() if value and not os.environ.get(name)}
    os.environ.update(new)
    return sorted(new)
