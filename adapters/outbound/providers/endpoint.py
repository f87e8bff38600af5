"""Where and how to call one provider."""

import msgspec

from adapters.outbound.providers.rows import ProviderRow, Quirk, UsageRow


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's address and manners. `drops` and `extras` are request parameters, as in rows.ProviderRow."""

    provider: str
    base_url: str
    api_key: str
    dialect: str
    quirks: frozenset[Quirk] = frozenset()
    drops: frozenset[str] = frozenset()
    extras: frozenset[str] = frozenset()
    connect_timeout_s: float = 10.0
    usage: UsageRow = UsageRow()

    def __repr__(self) -> str:
        """Without the key: endpoints end up in tracebacks."""
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
        connect_timeout_s=row.connect_timeout_s,
        usage=row.usage,
    )
