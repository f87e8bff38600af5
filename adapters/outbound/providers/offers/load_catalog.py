"""Build the catalog from the registry, the operator's providers file and the sandbox."""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from adapters.outbound.providers.endpoint import Endpoint, endpoint_of
from adapters.outbound.providers.offers.catalog import ProviderCatalog
from adapters.outbound.providers.offers.offers_of_row import ModelInvalid, offer_of_row
from adapters.outbound.providers.offers.read_rows import (
    REGISTRY_FILE,
    SANDBOX_FILE,
    ProvidersFileInvalid,
    is_printable_ascii,
    read_rows,
    require_address,
)
from adapters.outbound.providers.offers.rows import ProviderRow
from domain.catalog.offer import Offer

NOT_SENDABLE = "holds white space, a line break or another character that no API key has"


def key_names(providers_file: Path | None) -> frozenset[str]:
    """Names of the environment variables that hold provider keys; the settings reader passes these on."""
    rows = [*read_rows(REGISTRY_FILE).values(), *(read_rows(providers_file).values() if providers_file else ())]
    return frozenset(row.api_key_env for row in rows if row.api_key_env)


def providers_of_keys(providers_file: Path | None) -> Mapping[str, str]:
    """Provider -> the environment variable that holds its key."""
    rows = {**read_rows(REGISTRY_FILE), **(read_rows(providers_file) if providers_file else {})}
    return {name: row.api_key_env for name, row in rows.items() if row.api_key_env}


def load_catalog(
    providers_file: Path | None, keys: Mapping[str, str], sandbox_base_url: str | None, *, on: date
) -> ProviderCatalog:
    """Every offer that can be called.

    providers_file:   the operator's TOML, or None.
    keys:             environment name -> key; a registry provider without a key, or with an empty one, is left out.
    sandbox_base_url: such as http://127.0.0.1:8900/v1 if the sandbox runs, else None.
    on:               today, UTC: an announced price change applies from its day.
    Raises: ProvidersFileInvalid, which names file, row and field.
    """
    endpoints: dict[str, Endpoint] = {}
    offers: list[Offer] = []
    for file, name, row in _rows(providers_file, sandbox_base_url):
        api_key = row.api_key or keys.get(row.api_key_env, "")
        if api_key:
            if not is_printable_ascii(api_key):
                place = f"providers.{name}.{'api_key' if row.api_key else 'api_key_env'}"
                where = "" if row.api_key else f"{row.api_key_env} "
                raise ProvidersFileInvalid(file, place, f"{where}{NOT_SENDABLE}")
            endpoints[name] = endpoint_of(name, row, api_key)
            offers += _offers(file, name, row, on)
        elif file != REGISTRY_FILE:
            raise ProvidersFileInvalid(file, f"providers.{name}.api_key_env", f"{row.api_key_env} is not set")
    return ProviderCatalog(offers, endpoints)


def _rows(providers_file: Path | None, sandbox_base_url: str | None) -> Iterator[tuple[Path, str, ProviderRow]]:
    """File, name and row of every provider, in the order of calling them: registry, providers file, sandbox."""
    registry = read_rows(REGISTRY_FILE)
    sandbox = read_rows(SANDBOX_FILE)
    added = _added_rows(providers_file, registry, reserved=sandbox) if providers_file else {}
    for name, row in {**registry, **added}.items():
        yield (providers_file if providers_file and name in added else REGISTRY_FILE), name, row
    if sandbox_base_url:
        for name, row in sandbox.items():
            yield SANDBOX_FILE, name, replace(row, base_url=sandbox_base_url)


def _added_rows(
    file: Path, registry: Mapping[str, ProviderRow], reserved: Mapping[str, ProviderRow]
) -> dict[str, ProviderRow]:
    added: dict[str, ProviderRow] = {}
    for name, row in read_rows(file).items():
        if name in reserved:
            raise ProvidersFileInvalid(file, f"providers.{name}", "is the name of the built-in sandbox")
        added[name] = _extended(file, name, registry[name], row) if name in registry else row
        require_address(file, name, added[name])
    return added


def _extended(file: Path, name: str, known: ProviderRow, added: ProviderRow) -> ProviderRow:
    """A registry provider with more models, another key or another URL; all else stays as in the registry."""
    of_the_operator = ("base_url", "api_key", "api_key_env", "models")
    if added != ProviderRow(**{field: getattr(added, field) for field in of_the_operator}):
        raise ProvidersFileInvalid(file, f"providers.{name}", f"is in the registry; only {of_the_operator} can be set")
    own_key = bool(added.api_key or added.api_key_env)
    listed = {model.id for model in added.models}
    return replace(
        known,
        base_url=added.base_url or known.base_url,
        api_key=added.api_key,
        api_key_env=added.api_key_env if own_key else known.api_key_env,
        models=(*added.models, *(model for model in known.models if model.id not in listed)),
    )


def _offers(file: Path, name: str, row: ProviderRow, on: date) -> Iterator[Offer]:
    listed = {model.id for model in row.models}
    for number, model in enumerate(row.models):
        try:
            yield offer_of_row(name, model, origin=file.stem, usage_slack_tokens=row.usage_slack_tokens)
        except ModelInvalid as error:
            place = f"providers.{name}.models[{number}].{error.field}"
            raise ProvidersFileInvalid(file, place, f"{error.reason} (model {model.id})") from error
    if row.genai_prices:
        # Imported here because it costs 0.3 s and 20 MB, which an installation with only the sandbox saves.
        from adapters.outbound.providers.offers.offers_of_genai_prices import offers_of_genai_prices

        yield from (offer for offer in offers_of_genai_prices(name, row, on) if offer.model not in listed)
