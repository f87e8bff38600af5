"""Finding processes by whose children they are."""

from pathlib import Path


def children_of(parent: int) -> list[tuple[int, str]]:
    """(pid, command line) of each direct child, from /proc."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            ppid = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if ppid == parent:
            found.append((int(folder.name), line))
    return found
