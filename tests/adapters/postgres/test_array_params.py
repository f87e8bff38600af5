"""Our own encoding of arrays is the server's: whatever goes in comes back."""

import string
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.outbound.postgres.wire import array_params as pg
from adapters.outbound.postgres.wire import types
from adapters.outbound.postgres.wire.array_params import ArrayParam
from tests.rigs.databases import Database

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds

KINDS: dict[str, tuple[Callable[[Sequence[Any]], ArrayParam], st.SearchStrategy[Any]]] = {
    "int[]": (pg.int4s, st.integers(-(2**31), 2**31 - 1)),
    "bigint[]": (pg.int8s, st.integers(-(2**63), 2**63 - 1)),
    "boolean[]": (pg.bools, st.booleans()),
    "text[]": (pg.texts, TEXT),
    "bytea[]": (pg.byteas, st.binary(max_size=40)),
    "uuid[]": (pg.uuids_or_nulls, st.none() | st.uuids()),
    "timestamptz[]": (pg.timestamps, TIMES),
}


@pytest.fixture(scope="module")
def server(server_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server_dsn, autocommit=True, options="-c timezone=UTC") as connection:
        yield connection


@pytest.mark.parametrize("kind", KINDS)
def test_any_array_comes_back_as_it_went(server: psycopg.Connection[Any], kind: str) -> None:
    encode, elements = KINDS[kind]

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(elements, max_size=20))
    def comes_back(values: list[Any]) -> None:
        row = server.execute("SELECT %b, pg_typeof(%b)::text", [encode(values), encode(values)], binary=True).fetchone()
        assert row is not None
        assert row[0] == values
        assert row[1] == {"int[]": "integer[]", "timestamptz[]": "timestamp with time zone[]"}.get(kind, kind)

    comes_back()


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_array_is_an_array(server: psycopg.Connection[Any], kind: str) -> None:
    encode, _ = KINDS[kind]
    assert server.execute("SELECT %b, cardinality(%b)", [encode([]), encode([])]).fetchone() == ([], 0)


@pytest.mark.parametrize("value", [string.printable, "Zürich 東京 🦊", "\x01\x7f", "a'b\"c\\d{e,f}NULL", ""])
def test_text_needs_no_quoting(server: psycopg.Connection[Any], value: str) -> None:
    row = server.execute(
        "SELECT (%b)[2], octet_length((%b)[2])", [pg.texts(["", value]), pg.texts(["", value])]
    ).fetchone()
    assert row == (value, len(value.encode()))


def test_a_long_array(server: psycopg.Connection[Any]) -> None:
    values = list(range(100_000))
    assert server.execute("SELECT sum(n), count(*) FROM unnest(%b) n", [pg.int8s(values)]).fetchone() == (
        sum(values),
        len(values),
    )


@pytest.mark.parametrize(
    ("encode", "value"), [(pg.int4s, 2**31), (pg.int8s, 2**63), (pg.int8s, -(2**63) - 1), (pg.texts, "\ud800")]
)
def test_what_does_not_fit_is_refused_here(encode: Callable[[Sequence[Any]], ArrayParam], value: object) -> None:
    with pytest.raises((OverflowError, UnicodeEncodeError)):
        encode([value])


async def test_the_write_path_and_psycopg_send_the_same(database: Database) -> None:
    """The hot path sends `data` itself; other statements go through psycopg's dumper."""
    param = pg.texts(["a", "ü"])
    with psycopg.connect(database.owner) as connection:
        (through_psycopg,) = connection.execute("SELECT array_send(%b)", [param], binary=True).fetchone() or (None,)
    assert through_psycopg == param.data


def test_the_numbers_of_types_are_those_that_psycopg_has() -> None:
    ours = {name.lower(): tuple(t) for name, t in vars(types).items() if isinstance(t, types.WireType)}
    known = {name: psycopg.postgres.types[name] for name in ours}
    assert ours == {name: (info.oid, info.array_oid) for name, info in known.items()}
    assert len(ours) > 8
