"""All read models, and the versions of each that this release can build and read.

A new one is a folder with PROJECTION in its project.py, and its row here. Raising a version is described in
docs/how-to/change-a-read-model.md.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module, resources
from types import ModuleType

from projections.engine.changes import Projection
from projections.engine.create_tables import create_table
from projections.engine.views import views_in

READ_MODELS: Mapping[str, tuple[int, ...]] = {
    "api_key": (),
    "available_credit": (1,),
    "generation": (),
    "ledger_entries": (1,),
}
"""The earlier versions that this release still ships, by name: each in a folder v<version> inside the model's own."""

NAMES = tuple(READ_MODELS)


def _projection(package: str) -> Projection:
    found: Projection = import_module(f"{package}.project").PROJECTION
    assert found.package == package, f"the projection in {package} declares the package {found.package}"
    return found


PROJECTIONS: tuple[Projection, ...] = tuple(_projection(f"projections.{name}") for name in NAMES)
"""The current version of each."""

BUILDS: tuple[Projection, ...] = PROJECTIONS + tuple(
    _projection(f"projections.{name}.v{version}") for name, earlier in READ_MODELS.items() for version in earlier
)
"""Every version that this release ships. It updates, reads and verifies those that were built."""


def current_of(builds: Sequence[Projection]) -> dict[str, Projection]:
    """The highest version of each read model: the one that is built if it is missing."""
    return {build.name: build for build in sorted(builds, key=lambda build: build.version)}


def queries_of(build: Projection) -> ModuleType:
    """The module of queries over its tables."""
    return import_module(f"{build.package}.queries")


def tables_sql(build: Projection) -> str:
    """DDL of its tables and indexes; harmless if they exist."""
    return for_build("\n\n".join(map(create_table, build.tables)), build)


def views_sql(build: Projection) -> str:
    """DDL of the views for people over its tables. Our own readers do not use them."""
    return for_build(_file(build, "views.sql"), build)


def view_names(build: Projection) -> tuple[str, ...]:
    """Names of the views for people."""
    return tuple(views_in(_file(build, "views.sql")))


@cache
def for_build(sql: str, build: Projection) -> str:
    """`sql` with the build's own names: {build} is the suffix of its tables, {version} its number."""
    return sql.replace("{build}", build.build).replace("{version}", str(build.version))


def read_files() -> None:
    """Read the SQL files now: a process that gives up its rights may not be able to read them later."""
    for build in BUILDS:
        views_sql(build)


@cache
def _file(build: Projection, name: str) -> str:
    return resources.files(build.package).joinpath(name).read_text("utf-8")
