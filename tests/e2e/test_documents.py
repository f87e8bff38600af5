"""Documents cannot lie: every example of README, tutorial and how-to is executed, every shown output compared."""

import subprocess
from pathlib import Path

import pytest

from tests.rigs.installation.documents import blocks_of, is_what_was_printed
from tests.rigs.installation.installation import ROOT, installation
from tests.rigs.installation.reader import documents, reader
from tests.rigs.installation.stand_in_curl import put_curl_into

MAX_NOT_RUN = 2
"""Blocks that no test executes, in all documents together; each says why, and which test stands in."""


@pytest.mark.parametrize("document", documents(), ids=lambda document: document.name)
def test_every_example_works_as_written(document: Path) -> None:
    with reader() as someone:
        for block in blocks_of(document):
            someone.follow(block)


def test_what_is_not_executed_is_bounded() -> None:
    left_out = [block.place for document in documents() for block in blocks_of(document) if block.deed == "not run"]
    assert len(left_out) <= MAX_NOT_RUN, left_out


def test_the_readme_starts_a_gateway_asks_it_and_proves_what_it_cost() -> None:
    text = "".join(block.text for block in blocks_of(ROOT / "README.md"))
    for word in ("make run", "/v1/chat/completions", "OpenAI(", "gatewayz verify", "gatewayz statement"):
        assert word in text


def test_make_run_is_what_the_reader_starts_for_it() -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "-n", "run"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert told.splitlines()[-1] == "exec .venv/bin/gatewayz serve"


def test_a_block_that_nobody_knows_what_to_do_with_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    for block in ("```\nx\n```\n", "<!-- not run -->\n```sh\nx\n```\n", "<!-- skip: it -->\n```sh\nx\n```\n"):
        document.write_text("text\n\n" + block)
        with pytest.raises(ValueError, match=r"page\.md:3"):
            blocks_of(document)


@pytest.mark.parametrize(
    ("expected", "printed", "agrees"),
    [
        ("cost …\nclean\n", "cost  0.5\nclean\n", True),
        ("…\nclean\n", "Log: 5\n\nclean\n", True),
        ("clean\n", "not\nclean\n", False),
        ("cost 0.5\n", "cost 0.50\n", False),
        ("a (b…)\n", "a (bc)\n", True),
        ("…\nclean\n", "clean\nbut no\n", False),
    ],
)
def test_only_what_is_marked_may_differ(expected: str, printed: str, agrees: bool) -> None:
    assert is_what_was_printed(expected, printed) is agrees


def test_a_machine_without_curl_reads_the_same(tmp_path: Path) -> None:
    curl = put_curl_into(tmp_path / "bin") / "curl"
    with installation() as house:
        house.start()
        url, key = house.credentials["base_url"] + "/v1/credits", house.credentials["demo_key"]
        done = subprocess.run(
            [curl, "-s", "-i", url, "-H", f"x-api-key: {key}"], capture_output=True, text=True, check=True
        )
        refused = subprocess.run([curl, url, "-X", "POST", "-d", "{}"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("HTTP/1.1 200 OK")
    assert '{"data":{"total_credits":10,"total_usage":0,"owed_usd":"0"}}' in done.stdout
    assert '"method_not_allowed"' in refused.stdout
