"""Inference providers: who they are, what they sell at which price, and how they are called.

registry.toml      one row per provider; sandbox.toml and the operator's file have the same schema (rows.py)
load_catalog.py    rows -> ProviderCatalog, which implements ports.Catalog
http_chat_providers.py  implements ports.ChatProviders over HTTP
dialects/          how requests are written and answers read; pure
failures.py        every way in which a provider can fail
"""
