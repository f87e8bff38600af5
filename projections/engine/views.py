"""The views of a read model as text: queries select from what the views for people show, over a build's own tables."""

import re
from collections.abc import Mapping
from importlib import resources

_VIEW = re.compile(r"^CREATE OR REPLACE VIEW read\.(\w+) AS\s+(.+?);$", re.DOTALL | re.MULTILINE)


def views_of(package: str) -> Mapping[str, str]:
    """By name, the SELECT of each view in the views.sql of `package`, `{build}` left in it."""
    return views_in(resources.files(package).joinpath("views.sql").read_text("utf-8"))


def views_in(text: str) -> Mapping[str, str]:
    return dict(_VIEW.findall(text))
