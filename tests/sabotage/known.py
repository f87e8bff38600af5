"""`python -m tests.sabotage.known`: write known.txt again. A line that goes, in the diff, is a promise less watched."""

from pathlib import Path

from tests.sabotage.patches import PATCHES

FILE = Path(__file__).with_name("known.txt")


def lines() -> list[str]:
    """`<promise>: <title>` of every patch, sorted."""
    return sorted(f"{patch.promise}: {patch.what}" for patch in PATCHES)


if __name__ == "__main__":
    FILE.write_text("".join(f"{line}\n" for line in lines()))
