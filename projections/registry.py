"""Every read model there is. A new one is a folder with PROJECTION in its project.py, and its name here."""

from importlib import import_module, resources

from projections.changes import Projection

NAMES = ("api_key", "available_credit", "generation", "ledger_entries")


def _projection(name: str) -> Projection:
    found: Projection = import_module(f"projections.{name}.project").PROJECTION
    assert found.name == name, f"the projection in folder {name} calls itself {found.name}"
    return found


PROJECTIONS: tuple[Projection, ...] = tuple(_projection(name) for name in NAMES)


def tables_sql(projection: Projection) -> str:
    """DDL of its tables and indexes, for its own build; harmless if they exist."""
    return _file(projection, "schema.sql")


def views_sql(projection: Projection) -> str:
    """DDL of the views that readers use: running it points them at this build's tables, all at once."""
    return _file(projection, "views.sql")


def _file(projection: Projection, name: str) -> str:
    text = resources.files(f"projections.{projection.name}").joinpath(name).read_text("utf-8")
    return text.replace("{build}", projection.build)
