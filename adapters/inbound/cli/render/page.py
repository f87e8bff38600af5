"""Output for people: lines and tables that fit the terminal, without control characters.

Text from customers (labels, emails, reasons) is shown unchanged, except for characters that a terminal would obey or
hide: these are escaped. Programs use `--json`, which is complete.
"""

from collections.abc import Sequence
from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from adapters.inbound.cli.render.safe import safe

PIPE_WIDTH = 10_000
"""Width without a terminal, so that a table is as wide as it needs."""

INDENT = "  "
NO_BREAK = "\N{NO-BREAK SPACE}"
LONGEST_WHOLE = 36


class TerminalPage:
    def __init__(self, out: Console | None = None) -> None:
        self._out = out or _console()

    def line(self, text: str, *, style: str = "") -> None:
        self._out.print(safe(text), style=style, soft_wrap=True)

    def rows(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table if it fits; else each row as a block, with its first column (an id to copy) alone on a line."""
        shown = [[safe(cell) for cell in row] for row in rows]
        table = _table(title, columns, shown)
        needed = self._out.measure(table, options=self._out.options.update(max_width=PIPE_WIDTH)).maximum
        if needed <= self._out.width:
            self._out.print(table)
        else:
            self._stack(title, columns, shown)

    def _stack(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._out.print(f"\n{title}", style="bold")
        for first, *others in rows:
            self._out.print(first, soft_wrap=True)
            cells = [_whole(f"{name} {cell}") for name, cell in zip(columns[1:], others, strict=True) if cell]
            for line in wrap(", ".join(cells), self._out.width - len(INDENT), break_on_hyphens=False):
                self._out.print(INDENT + line.replace(NO_BREAK, " "), soft_wrap=True)


def _whole(cell: str) -> str:
    """Keep a short cell on one line; a sentence may be wrapped."""
    return cell.replace(" ", NO_BREAK) if len(cell) <= LONGEST_WHOLE else cell


def _console() -> Console:
    """A console without markup."""
    out = Console(highlight=False, markup=False, emoji=False)
    return out if out.is_terminal else Console(highlight=False, markup=False, emoji=False, width=PIPE_WIDTH)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, no_wrap=True)
    for row in rows:
        made.add_row(*row)
    return made
