"""A projection is one folder and its name in the registry (STYLE): a forgotten step is seen here."""

from pathlib import Path

import pytest

import projections
from projections.changes import Projection
from projections.registry import NAMES, PROJECTIONS, tables_sql, views_sql

FOLDER = Path(projections.__file__).parent


def test_every_folder_is_listed_and_every_name_has_a_folder() -> None:
    folders = sorted(path.parent.name for path in FOLDER.glob("*/project.py"))
    assert folders == sorted(NAMES)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=NAMES)
def test_every_projection_has_its_parts(projection: Projection) -> None:
    for part in ("schema.sql", "views.sql", "queries.py"):
        assert (FOLDER / projection.name / part).exists(), part


@pytest.mark.parametrize("projection", PROJECTIONS, ids=NAMES)
def test_tables_carry_the_build_and_views_do_not(projection: Projection) -> None:
    for table in projection.tables:
        assert f"read.{table.name}_{projection.build} (" in tables_sql(projection)
        assert "{build}" not in tables_sql(projection) + views_sql(projection)


def test_no_table_belongs_to_two_projections() -> None:
    names = [table.name for projection in PROJECTIONS for table in projection.tables]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("projection", PROJECTIONS, ids=NAMES)
def test_nothing_stored_is_a_float(projection: Projection) -> None:
    kinds = {column.sql_type for table in projection.tables for column in table.columns.values()}
    assert kinds <= {"int8", "text", "json", "bytea", "bool", "timestamptz", "date"}
    assert not any(word in tables_sql(projection) for word in ("float", "double", "real ", "numeric"))
