"""Inference providers: their rows, their offers and prices, and how the gateway calls them.

registry.toml      one row per provider; sandbox.toml and the operator's file have the same schema (rows.py)
load_catalog.py    rows -> ProviderCatalog, which implements ports.Catalog
http_chat_providers.py  implements ports.ChatProviders over HTTP
dialects/          write requests and read answers; pure
failures.py        all failures of a provider
"""
