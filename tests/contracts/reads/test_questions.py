"""Each question of application/reads is answered by PostgreSQL and by the fake; each query that is asked exists."""

import inspect
import re
from importlib import import_module
from typing import cast, get_type_hints

import pytest

from adapters.outbound.postgres.read.reads import postgres_reads
from adapters.outbound.postgres.wire.connection import Pool
from application.reads.reads import Reads
from tests.fakes.reads.reads import memory_reads
from tests.rigs.running import ROOT

PROTOCOLS = get_type_hints(Reads)
ANSWERERS = {"PostgreSQL": postgres_reads(cast("Pool", None)), "the fake": memory_reads([])}
READ = ROOT / "adapters/outbound/postgres/read"
ASKED = [
    (file.name, module, query)
    for file in sorted(READ.glob("*.py"))
    for line in re.findall(r"^from (projections\.\w+) import queries(?: as (\w+))?$", file.read_text(), re.MULTILINE)
    for module in [f"{line[0]}.queries"]
    for query in re.findall(rf"ask\({line[1] or 'queries'}\.(\w+)", file.read_text())
]


def questions(kind: type) -> dict[str, inspect.Signature]:
    found = inspect.getmembers(kind, inspect.iscoroutinefunction)
    return {name: inspect.signature(question) for name, question in found if not name.startswith("_")}


@pytest.mark.parametrize("by", ANSWERERS)
@pytest.mark.parametrize("noun", PROTOCOLS)
def test_a_question_is_answered(noun: str, by: str) -> None:
    answered = questions(type(getattr(ANSWERERS[by], noun)))
    assert {name: answered.get(name) for name in questions(PROTOCOLS[noun])} == questions(PROTOCOLS[noun])


@pytest.mark.parametrize("noun", PROTOCOLS)
def test_nothing_is_answered_that_nobody_may_ask(noun: str) -> None:
    assert questions(type(getattr(ANSWERERS["PostgreSQL"], noun))).keys() == questions(PROTOCOLS[noun]).keys()


@pytest.mark.parametrize(("file", "module", "query"), ASKED)
def test_what_is_asked_of_a_read_model_is_one_of_its_queries(file: str, module: str, query: str) -> None:
    assert inspect.iscoroutinefunction(getattr(import_module(module), query, None)), f"{file}: {module}.{query}"
