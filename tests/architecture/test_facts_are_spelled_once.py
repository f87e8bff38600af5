"""A number or name that two places must agree on stands in one of them; the others import it."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.outbound.postgres.wire import locks, types

ROOT = Path(__file__).parents[2]
PRODUCT = ("domain", "application", "projections", "adapters")
WIRE = "adapters/outbound/postgres/wire"

LOCKS = {name: value for name, value in vars(locks).items() if name.isupper()}

TREES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text())
    for top in PRODUCT
    for path in sorted((ROOT / top).rglob("*.py"))
    if not re.search(r"/v\d+/", str(path))  # a retired version of a read model is a copy of its day
}


def values(tree: ast.AST) -> Iterator[object]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))


def spelled(fact: object) -> list[str]:
    return [file for file, tree in TREES.items() if any(v == fact and type(v) is type(fact) for v in values(tree))]


# ---- facts


@pytest.mark.parametrize(
    ("fact", "file"),
    [
        ("sandbox/echo", "adapters/wiring/compose/seed.py"),
        (("max_completion_tokens", "max_tokens"), "application/generate/request/read_chat_request.py"),
    ],
    ids=str,
)
def test_a_fact_stands_in_one_file(fact: object, file: str) -> None:
    if isinstance(fact, tuple):
        found = [
            where
            for where, tree in TREES.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Tuple) and tuple(getattr(e, "value", None) for e in node.elts) == fact
        ]
    else:
        found = spelled(fact)
    assert found == [file]


def test_a_channel_has_a_name() -> None:
    by_word = re.compile(r"^LISTEN \w|^NOTIFY \w+$|pg_notify\('\w")
    assert [file for file, tree in TREES.items() for v in values(tree) if by_word.search(_text(v))] == []
    assert [file for file, tree in TREES.items() for n, _ in constants(tree) if n.endswith("CHANNEL")] == [
        f"{WIRE}/wake_up.py"
    ]


def test_a_grace_and_a_lag_have_one_value() -> None:
    for file, name in (("domain/api_key/ranges.py", "DEFAULT_GRACE_S"), ("application/reads/lag.py", "MAX_LAG_S")):
        assert [where for where, tree in TREES.items() for n, _ in constants(tree) if n == name] == [file]
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "grace_s":
                assert not isinstance(node.value, ast.Constant), file


# ---- numbers of PostgreSQL


def test_a_lock_s_number_is_in_the_table_of_locks_and_nowhere_else() -> None:
    numbers = {value for value in LOCKS.values() if value}
    assert len(numbers) == len(LOCKS) - 1, "two locks of one number"
    for number in numbers:
        assert spelled(number) == [f"{WIRE}/locks.py"]


def test_no_lock_is_taken_by_a_number_that_has_no_name() -> None:
    by_number = re.compile(r"advisory_\w+\(\s*\d|hashtextextended\([^)]*,\s*\d")
    found = [file for file, tree in TREES.items() for v in values(tree) if by_number.search(_text(v))]
    assert found == []


def test_no_type_number_is_written_outside_the_table_of_types() -> None:
    """Those below 1,000 are ordinary numbers too: none of them may stand where a type is asked for."""
    numbers = {n for t in vars(types).values() if isinstance(t, types.WireType) for n in t}
    for number in sorted(n for n in numbers if n > 1_000):
        assert [file for file in spelled(number) if file.startswith("adapters/outbound/postgres")] == [
            f"{WIRE}/types.py"
        ]
    for file, tree in TREES.items():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if re.search(r"\b(ArrayParam(\.of_fixed)?|WireType)$", ast.unparse(call.func)):
                given = [a for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, int)]
                assert not given or file == f"{WIRE}/types.py", file


def test_the_epoch_of_postgres_stands_in_the_table_of_types() -> None:
    epoch = re.compile(r"datetime\(2000, 1, 1\b|date\(2000, 1, 1\b")
    assert [file for file, tree in TREES.items() if epoch.search(ast.unparse(tree))] == [f"{WIRE}/types.py"]


# ---- constants


def constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Names of a module and what they are, private or not."""
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name) and target.id.isupper():
                yield target.id.lstrip("_"), node.value


def is_figure(value: ast.expr) -> bool:
    """A number, a product of numbers, or a time such as "2s"."""
    text = ast.unparse(value)
    return bool(re.fullmatch(r"[\d_.*+\-/() ]+|'\d+ ?(ms|s|min|h|MB|kB)'", text))


def room_of(file: str) -> str:
    """adapters/outbound/postgres, adapters/wiring, domain/credit, projections ..."""
    parts = file.split("/")
    depth = {"adapters": 3 if parts[1] in ("inbound", "outbound") else 2}.get(parts[0], 1)
    return "/".join(parts[:depth])


def test_a_name_has_one_figure_within_a_package() -> None:
    figures: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for file, tree in TREES.items():
        for name, value in constants(tree):
            if is_figure(value):
                figures[room_of(file), name][ast.unparse(value)].append(file)
    assert figures["adapters/outbound/postgres", "SETUP"], "the reading of constants does not work"
    assert {room_and_name: dict(v) for room_and_name, v in figures.items() if len(v) > 1} == {}


def test_no_figure_of_one_name_is_written_twice_within_a_package() -> None:
    """Two constants of one name and one value are one fact in two places."""
    seen: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file, tree in TREES.items():
        for name, value in constants(tree):
            if is_figure(value):
                seen[room_of(file), name].append(file)
    assert {room_and_name: files for room_and_name, files in seen.items() if len(files) > 1} == {}


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value if isinstance(value, str) else ""
