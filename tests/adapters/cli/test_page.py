"""Tables fit the terminal, ids stay whole, and nothing that a customer named steers it."""

from io import StringIO

import pytest
from rich.console import Console

from adapters.inbound.cli.render.page import TerminalPage
from adapters.inbound.cli.render.safe import safe
from adapters.inbound.cli.render.show_account import COLUMNS

KEY_ID = "01a205dc-a9c1-7499-bc2c-93cb07590f86"
ROW = (KEY_ID, "laptop of ada", "inference", "live", "wxyz", "1.5 monthly", "0.000045", "1", "2027-01-31 00:00", "no")


def printed(width: int, rows: int = 2) -> list[str]:
    out = StringIO()
    TerminalPage(Console(file=out, width=width, markup=False, highlight=False)).rows(
        "Keys (USD)", COLUMNS, [ROW] * rows
    )
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132, 200])
def test_no_line_is_wider_than_the_terminal_and_ids_stay_whole(width: int) -> None:
    lines = printed(width)
    assert max(len(line.rstrip()) for line in lines) <= width
    assert sum(KEY_ID in line for line in lines) == 2
    for cell in ROW:
        assert any(cell in line for line in lines), f"{cell} is broken over two lines"


def test_in_a_narrow_terminal_an_id_stands_alone_to_be_copied() -> None:
    assert KEY_ID in printed(80)
    assert KEY_ID not in printed(200)


def test_what_a_terminal_would_obey_is_spelt_out() -> None:
    told = safe("\x1b]0;own\x07\x1b[2Jada\u202etxt.exe\r\n\x00")
    assert told == "\\x1b]0;own\\x07\\x1b[2Jada\\u202etxt.exe\\r\\n\\x00"
    assert safe("Zoë, 東京, [bold] ") == "Zoë, 東京, [bold] "


def test_lines_and_cells_are_safe_alike() -> None:
    out = StringIO()
    page = TerminalPage(Console(file=out, width=200, markup=False, highlight=False))
    page.line("a \x1b[31mred\x1b[0m reason")
    page.rows("t", ("a", "b"), [("x", "\x1b[2J")])
    assert "\x1b[31m" not in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()
