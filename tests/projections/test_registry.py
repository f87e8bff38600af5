"""A projection is a folder and its row in the registry, an earlier version a folder in it: a forgotten step is seen."""

import inspect
import re
from pathlib import Path

import pytest

import projections
from projections.engine.changes import Projection
from projections.engine.registry import BUILDS, NAMES, PROJECTIONS, READ_MODELS, queries_of, tables_sql, views_sql
from tests.projections.digests import digest_of, digests, name_of

FOLDER = Path(projections.__file__).parent
RETIRED: set[tuple[str, int]] = set()
"""Versions that were shipped beside a later one for a release, and no longer are."""

EARLIER = [build for build in BUILDS if build not in PROJECTIONS]


def folder_of(build: Projection) -> Path:
    return FOLDER.parent.joinpath(*build.package.split("."))


def test_every_folder_is_listed_and_every_name_has_a_folder() -> None:
    folders = sorted(path.parent.name for path in FOLDER.glob("*/project.py"))
    assert folders == sorted(NAMES)


def test_every_earlier_version_is_listed_and_has_a_folder() -> None:
    folders = sorted((path.parent.parent.name, path.parent.name) for path in FOLDER.glob("*/v*/project.py"))
    assert folders == sorted((name, f"v{version}") for name, earlier in READ_MODELS.items() for version in earlier)


def test_an_earlier_version_is_the_one_that_its_folder_says() -> None:
    for build in EARLIER:
        assert build.package == f"projections.{build.name}.v{build.version}"
        assert build.version < current(build).version


def current(build: Projection) -> Projection:
    return next(one for one in PROJECTIONS if one.name == build.name)


@pytest.mark.parametrize("build", PROJECTIONS, ids=NAMES)
def test_a_raised_version_ships_the_one_before(build: Projection) -> None:
    before = build.version - 1
    assert before == 0 or before in READ_MODELS[build.name] or (build.name, before) in RETIRED


def test_an_earlier_version_stands_by_itself() -> None:
    """The current folder changes; what an earlier version imports from it would change with it."""
    files = [(build, file) for build in EARLIER for file in folder_of(build).glob("*.py")]
    for build, file in files:
        for imported in re.findall(r"(?:from|import) (projections\.\w+[\w.]*)", file.read_text()):
            assert imported.startswith((build.package, "projections.engine")), f"{file}: {imported}"


def test_an_earlier_version_answers_the_same_questions() -> None:
    for build in EARLIER:
        assert questions(build).items() >= questions(current(build)).items(), name_of(build)


def questions(build: Projection) -> dict[str, inspect.Signature]:
    found = inspect.getmembers(queries_of(build), inspect.iscoroutinefunction)
    return {name: inspect.signature(question).replace(return_annotation=None) for name, question in found}


@pytest.mark.parametrize("build", BUILDS, ids=name_of)
def test_the_tables_of_a_version_never_change(build: Projection) -> None:
    """A new version adds its digest; what a version was is never changed."""
    assert digests().get(name_of(build)) == digest_of(build)


@pytest.mark.parametrize("build", BUILDS, ids=name_of)
def test_every_build_has_its_parts(build: Projection) -> None:
    for part in ("__init__.py", "project.py", "views.sql", "queries.py"):
        assert (folder_of(build) / part).exists(), part


@pytest.mark.parametrize("build", BUILDS, ids=name_of)
def test_tables_carry_the_build_and_views_for_people_do_not(build: Projection) -> None:
    for table in build.tables:
        assert f"read.{table.name}_{build.build} (" in tables_sql(build)
    assert "{build}" not in tables_sql(build) + views_sql(build)


@pytest.mark.parametrize("build", BUILDS, ids=name_of)
def test_questions_name_tables_of_a_build_and_no_view(build: Projection) -> None:
    """Views are pointed at another build some time after a switch: a reader that named one would read another build."""
    shared = {"positions", "parked", "active"}
    texts = [text for name, text in vars(queries_of(build)).items() if isinstance(text, str) and name.isupper()]
    named = {table for text in texts for table in re.findall(r"\bread\.(\w+(?:\{build\})?)", text)}
    assert named
    assert {table for table in named if not table.endswith("_{build}")} <= shared


@pytest.mark.parametrize("build", BUILDS, ids=name_of)
def test_what_differs_on_purpose_is_there(build: Projection) -> None:
    columns = {f"{table.name}.{column}" for table in build.tables for column in table.columns}
    assert build.unlike <= columns | {table.name for table in build.tables}


def test_no_table_belongs_to_two_projections() -> None:
    names = [table.name for projection in PROJECTIONS for table in projection.tables]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("build", BUILDS, ids=name_of)
def test_nothing_stored_is_a_float(build: Projection) -> None:
    kinds = {column.sql_type for table in build.tables for column in table.columns.values()}
    assert kinds <= {"int8", "text", "json", "bytea", "bool", "timestamptz", "date"}
    assert not any(word in tables_sql(build) for word in ("float", "double", "real ", "numeric"))
