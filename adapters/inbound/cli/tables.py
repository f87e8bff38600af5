"""Tables for people: plain, and wide enough not to break figures apart."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

MIN_WIDTH = 120
"""Columns. Into a pipe rich would assume 80 and cut amounts; a narrow terminal wraps the lines instead."""


def console() -> Console:
    """Without markup: what customers named is shown as it is."""
    width = max(Console().width, MIN_WIDTH)
    return Console(highlight=False, markup=False, width=width)


def table(title: str, *columns: str) -> Table:
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
