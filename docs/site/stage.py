"""Stages the pages of the site in build/docs, and its configuration: `python docs/site/stage.py`; `make docs` does it.

Navigation is docs/README.md: a heading is a section, a link of its list a page. Pages of the repository that docs/
links to are taken along; links to source files become plain text, since the site has no sources. Mermaid is drawn
here, so that a reader's browser runs nothing for it; a diagram that cannot be drawn ends this with an error.
"""

import os
import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import mermaidx

ROOT = Path(__file__).parents[2]
MAP = ROOT / "docs/README.md"
CONFIG = ROOT / "docs/site/zensical.toml"
STAGED = ROOT / "build/docs"

LINK = re.compile(r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^)\s]+)\)")
DIAGRAM = re.compile(r"^```mermaid\n(?P<source>.*?)^```$", re.MULTILINE | re.DOTALL)
NAVIGATION = re.compile(r"^# navigation.*\n", re.MULTILINE)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def main() -> None:
    shutil.rmtree(STAGED.parent / "site", ignore_errors=True)
    shutil.rmtree(STAGED, ignore_errors=True)
    for source in all_pages():
        staged = STAGED / page_of(source)
        staged.parent.mkdir(parents=True, exist_ok=True)
        staged.write_text(staged_text(source, staged))
    config = NAVIGATION.sub(lambda _: f"nav = [\n{''.join(navigation())}]\n", CONFIG.read_text())
    (STAGED.parent / CONFIG.name).write_text(config)


def all_pages() -> list[Path]:
    """The pages of docs/, and every page of the repository that is reached from there by links."""
    found = list(MAP.parent.rglob("*.md"))
    for page in found:  # grows
        reached = [
            (page.parent / link["target"].partition("#")[0]).resolve() for link in LINK.finditer(page.read_text())
        ]
        found += dict.fromkeys(one for one in reached if one.suffix == ".md" and one.is_file() and one not in found)
    return found


def page_of(source: Path) -> str:
    """Where a page is on the site."""
    page = page_on_site(source, "")
    assert page is not None, source
    return "index.md" if page == "README.md" else page


def page_on_site(source: Path, target: str) -> str | None:
    """The page that `target` means in the file `source`; None for a file that is not on the site."""
    name = os.path.relpath((source.parent / target).resolve() if target else source, ROOT)
    if not name.endswith(".md"):
        return None
    return name.removeprefix("docs/") if name.startswith("docs/") else "repository/" + name.lower().replace("/", "-")


def staged_text(source: Path, staged: Path) -> str:
    drawn = DIAGRAM.sub(lambda found: picture(found, staged), source.read_text())
    return LINK.sub(lambda link: link_on_site(link, source), drawn)


def link_on_site(link: "re.Match[str]", source: Path) -> str:
    target, _, anchor = link["target"].partition("#")
    if re.match(r"[a-z]+:", link["target"]) or not target:
        return link[0]
    if (found := page_on_site(source, target)) is None:
        return link["text"]
    found = "index.md" if found == "README.md" else found
    path = posixpath.relpath(found, posixpath.dirname(page_of(source)) or ".")
    return f"[{link['text']}]({path}{'#' * bool(anchor)}{anchor})"


def picture(diagram: "re.Match[str]", staged: Path) -> str:
    """An image beside the page; the heading above it is its description."""
    title = HEADING.findall(diagram.string, 0, diagram.start())[-1]
    name = re.sub(r"\W+", "-", f"{title}-{diagram.start()}".lower()) + ".svg"
    (staged.parent / name).write_text(mermaidx.render(diagram["source"]).svg())
    return f"![{title}]({name})"


def navigation() -> Iterator[str]:
    yield '  { "Map" = "index.md" },\n'
    _, *sections = HEADING.split(MAP.read_text())
    for title, text in zip(sections[::2], sections[1::2], strict=True):
        links = [(page_on_site(MAP, link["target"].partition("#")[0]), link["text"]) for link in LINK.finditer(text)]
        pages = {page: words for page, words in reversed(links) if page}
        listed = ", ".join(f'{{ "{words}" = "{page}" }}' for page, words in reversed(pages.items()))
        yield f'  {{ "{title}" = [{listed}] }},\n'


if __name__ == "__main__":
    main()
