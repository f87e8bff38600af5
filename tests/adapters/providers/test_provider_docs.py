"""docs/reference/providers.md names everything there is."""

from pathlib import Path
from typing import get_args

import pytest

from adapters.outbound.providers.failures import ErrorClass
from adapters.outbound.providers.offers.load_catalog import key_names
from adapters.outbound.providers.offers.read_rows import REGISTRY_FILE, SANDBOX_FILE, read_rows
from adapters.outbound.providers.offers.rows import DialectName, ModelRow, ProviderRow, Quirk, UnitPrices
from adapters.outbound.providers.route import DIALECTS

TEXT = (Path(__file__).parents[3] / "docs" / "reference" / "providers.md").read_text()
NAMED = [
    *key_names(None),
    *get_args(DialectName),
    *get_args(Quirk),
    *ErrorClass,
    *ProviderRow.__struct_fields__,
    *ModelRow.__struct_fields__,
    *UnitPrices.__struct_fields__,
    *(model.id for model in read_rows(SANDBOX_FILE)["sandbox"].models),
]


@pytest.mark.parametrize("name", sorted({str(name) for name in NAMED}))
def test_the_reference_names_it(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("provider", read_rows(REGISTRY_FILE))
def test_the_reference_lists_the_provider(provider: str) -> None:
    assert f"| {provider} |" in TEXT


def test_each_dialect_that_a_row_may_name_has_its_module() -> None:
    assert DIALECTS.keys() == set(get_args(DialectName))
