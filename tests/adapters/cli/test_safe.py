"""What the command line prints cannot steer a terminal, whatever a stranger named himself."""

import json

import pytest

from adapters.inbound.cli.render.print_json import print_json
from adapters.inbound.cli.render.safe import safe, safe_json
from adapters.operator_error import OperatorError
from adapters.wiring.processes.exit_on_error import exiting_on_error

NASTY = (
    "\x1b]0;own\x07\x1b[2J",
    "a\x00b",
    "a\rb\nc",
    "\x9b31m",
    "\u202eevil",
    "\u2066x\u2069",
    "\u200f",
    "\ufeff",
    "\U000e0041",
    "\ud800",
)
PLAIN = "Zoë, 東京, naïve €5 [bold]"


@pytest.mark.parametrize("text", NASTY)
def test_unprintable_characters_are_spelt_out(text: str) -> None:
    assert safe(text).isprintable()
    assert safe(text) != text


def test_what_is_printable_stays_as_it_is() -> None:
    assert safe(PLAIN) == PLAIN
    assert safe_json(json.dumps({"label": PLAIN}, ensure_ascii=False)) == json.dumps(
        {"label": PLAIN}, ensure_ascii=False
    )


@pytest.mark.parametrize("text", [text for text in NASTY if text != "\ud800"])
def test_json_is_the_same_document_without_them(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"label": text, "more": [1, PLAIN]})
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    assert json.loads(printed) == {"label": text, "more": [1, PLAIN]}


@pytest.mark.parametrize("text", NASTY)
def test_an_error_line_is_one_printable_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), exiting_on_error():
        raise OperatorError(f"there is no {text}!")
    line = capsys.readouterr().err
    assert line.endswith("\n") and line[:-1].isprintable()
