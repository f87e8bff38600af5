"""Where and how to call one provider."""

import msgspec

from adapters.outbound.providers.offers.rows import KNOWN_PARAMETERS, PRICED_OR_REMOTE, ProviderRow, Quirk, UsageRow


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's address and behaviour. Fields about request parameters: see rows.ProviderRow."""

    provider: str
    base_url: str
    api_key: str
    dialect: str
    quirks: frozenset[Quirk] = frozenset()
    drops: frozenset[str] = frozenset()
    extras: frozenset[str] = frozenset()
    priced_or_remote: frozenset[str] = frozenset(PRICED_OR_REMOTE)
    strict: bool = False
    pins_max_price: bool = False
    connect_timeout_s: float = 10.0
    usage: UsageRow = UsageRow()

    def passes(self, name: str, of_others: frozenset[str]) -> bool:
        """Whether the parameter `name` is sent. Those in `of_others` are sent only if the row takes them."""
        if name in self.drops or name in self.priced_or_remote:
            return False
        if name in self.extras:
            return True
        return name in KNOWN_PARAMETERS if self.strict else name not in of_others

    def __repr__(self) -> str:
        """Without the key, because endpoints appear in tracebacks."""
        return f"Endpoint({self.provider!r}, {self.base_url!r})"


def endpoint_of(provider: str, row: ProviderRow, api_key: str) -> Endpoint:
    return Endpoint(
        provider=provider,
        base_url=row.base_url.rstrip("/"),
        api_key=api_key,
        dialect=row.dialect,
        quirks=frozenset(row.quirks),
        drops=frozenset(row.drops),
        extras=frozenset(row.extras),
        priced_or_remote=frozenset(row.priced_or_remote),
        strict=row.strict,
        pins_max_price=row.pins_max_price,
        connect_timeout_s=row.connect_timeout_s,
        usage=row.usage,
    )
