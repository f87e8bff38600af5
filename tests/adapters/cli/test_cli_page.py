"""docs/reference/cli.md holds every verb and option as the command line has it."""

from tests.adapters.cli.cli_docs import DOCS, cli_page


def test_the_reference_repeats_the_help_of_every_verb() -> None:
    assert DOCS.read_text() == cli_page(), "python -m tests.adapters.cli.cli_docs writes it"
